/** Logs at startup where the page can be opened, and by whom. */
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { Log } from "@kelvin/service-kit";
import type { Access } from "./access.ts";

export interface AddressesOptions {
  readonly log: Log;
  /** What is listened on; undefined: both loopbacks. */
  readonly host: string | undefined;
  readonly port: number;
  readonly url: string;
  readonly access: Access;
}

export function tellAddresses({ log, host, port, url, access }: AddressesOptions): void {
  log.info({ url }, "listening");
  if (isLoopback(host)) return;
  const onNetwork = networkUrls(host, port);
  if (access.isOpen) {
    log.warn(
      { host, urls: onNetwork },
      "the page is open to everyone on the network; set DASHBOARD_TOKEN=<16 or more characters> to require a token",
    );
  } else {
    log.info(
      { urls: onNetwork },
      "the page is reachable from the network; open it with ?token=<DASHBOARD_TOKEN> once",
    );
  }
}

export function isLoopback(host: string | undefined): boolean {
  if (host === undefined || host === "localhost" || host === "::1") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}

/** The addresses that others on the network use. */
function networkUrls(host: string | undefined, port: number): string[] {
  if (host !== undefined && host !== "0.0.0.0" && host !== "::") {
    return [`http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`];
  }
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family }) => !internal && family === "IPv4")
    .map(({ address }) => `http://${address}:${port}`);
}
