import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

export type KeyType = 'ecdsa' | 'rsa';

const makeKeyPair = promisify(generateKeyPair);

/** PEM (PKCS #8). ECDSA is on P-256, RSA has 2048 bits. */
export async function makePrivateKey(type: KeyType): Promise<string> {
  const { privateKey } = await makeKeys(type);
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function makeKeys(type: KeyType): Promise<{ privateKey: KeyObject }> {
  if (type === 'rsa') return makeKeyPair('rsa', { modulusLength: 2048 });
  return makeKeyPair('ec', { namedCurve: 'P-256' });
}
