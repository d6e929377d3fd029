/** An authority, a broker's certificate and a client's, made by openssl for one test; never written elsewhere. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);

export interface Certificates {
  /** The authority that signed both. */
  readonly authority: string;
  /** An authority that signed neither. */
  readonly stranger: string;
  /** The broker's key and certificate in one file, as Kafka's `ssl.keystore.type=PEM` wants them. */
  readonly brokerStore: string;
  readonly clientCert: string;
  readonly clientKey: string;
  /** The same key, encrypted with `keyPassword`. */
  readonly clientKeyEncrypted: string;
  readonly keyPassword: string;
}

/** Files in the folder. The broker's certificate is for `localhost` alone: by address it is someone else's. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => exec("openssl", args, { cwd: folder });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
  const authority = async (name: string) => {
    const subject = ["-subj", `/CN=${name}`, "-days", "2"];
    await openssl("req", "-x509", ...newKey, ...subject, "-keyout", `${name}.key`, "-out", `${name}.pem`);
    return file(`${name}.pem`);
  };
  const signed = async (name: string, extension: string) => {
    await writeFile(file(`${name}.ext`), extension);
    await openssl("req", ...newKey, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.csr`);
    const by = ["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial", "-days", "2"];
    await openssl(
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      ...by,
      "-extfile",
      `${name}.ext`,
      "-out",
      `${name}.pem`,
    );
  };
  const keyPassword = "opens-the-key-37";
  const [authorityFile, stranger] = [await authority("authority"), await authority("stranger")];
  await signed("broker", "subjectAltName=DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth\n");
  await signed("client", "extendedKeyUsage=clientAuth\n");
  const encrypted = ["-topk8", "-v2", "aes-256-cbc", "-passout", `pass:${keyPassword}`];
  await openssl("pkcs8", "-in", "client.key", ...encrypted, "-out", "client-encrypted.key");
  const [key, certificate] = await Promise.all([readFile(file("broker.key")), readFile(file("broker.pem"))]);
  await writeFile(file("broker-store.pem"), Buffer.concat([key, certificate]));
  return {
    authority: authorityFile,
    stranger,
    brokerStore: file("broker-store.pem"),
    clientCert: file("client.pem"),
    clientKey: file("client.key"),
    clientKeyEncrypted: file("client-encrypted.key"),
    keyPassword,
  };
}
