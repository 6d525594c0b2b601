import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';

export type KeyType = 'ecdsa' | 'rsa';

const makeKeyPair = promisify(generateKeyPair);

/** PEM (PKCS #8). ECDSA is on P-256, RSA has 2048 bits. */
export async function makePrivateKey(type: KeyType): Promise<string> {
  const isRsa = type === 'rsa';
  const made = isRsa
    ? makeKeyPair('rsa', { modulusLength: 2048 })
    : makeKeyPair('ec', { namedCurve: 'P-256' });
  return (await made).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
