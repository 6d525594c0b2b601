import type { CertificateFolder } from './certificate-folder.js';
import type { IssuedCertificate } from './issued-certificate.js';
import { emptyRecord, type OrderRecord } from './order-record.js';

/**
 * One certificate with the record of its orders, as the folder has them. What the folder can't take (a full disk) is kept in memory
 * until it can.
 */
export class StoredCertificate {
  readonly #folder: CertificateFolder;
  readonly #directoryUrl: string;
  readonly #names: readonly string[];
  #certificate: IssuedCertificate | undefined;
  #isCertificateUnsaved = false;
  #record = emptyRecord;
  #isRecordUnsaved = false;

  constructor(folder: CertificateFolder, directoryUrl: string, names: readonly string[]) {
    this.#folder = folder;
    this.#directoryUrl = directoryUrl;
    this.#names = names;
  }

  get certificate(): IssuedCertificate | undefined {
    return this.#certificate;
  }

  get record(): OrderRecord {
    return this.#record;
  }

  /**
   * Writes what could not be written before, then reads everything: another instance may have been there. Resolves with whether the
   * certificate is another one now. Throws what the file system says.
   */
  async synchronize(): Promise<boolean> {
    if (this.#isCertificateUnsaved && this.#certificate !== undefined) await this.save(this.#certificate);
    if (this.#isRecordUnsaved) await this.saveRecord(this.#record);
    this.#record = await this.#folder.readRecord(this.#directoryUrl, this.#names);
    const found = await this.#folder.readCertificate(this.#directoryUrl, this.#names);
    if (found === undefined || found.certificatePem === this.#certificate?.certificatePem) return false;
    this.#certificate = found;
    return true;
  }

  /** Throws what the file system says; the certificate is kept in memory then. */
  async save(certificate: IssuedCertificate): Promise<void> {
    this.#certificate = certificate;
    this.#isCertificateUnsaved = true;
    await this.#folder.writeCertificate(this.#directoryUrl, certificate);
    this.#isCertificateUnsaved = false;
  }

  /** The same for the record. */
  async saveRecord(record: OrderRecord): Promise<void> {
    this.#record = record;
    this.#isRecordUnsaved = true;
    await this.#folder.writeRecord(this.#directoryUrl, this.#names, record);
    this.#isRecordUnsaved = false;
  }

  /** In memory only, because the end of the order writes the record. */
  noteStagingPassed(): void {
    this.#record = { ...this.#record, isStagingPassed: true };
  }
}
