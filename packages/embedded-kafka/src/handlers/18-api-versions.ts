/** ApiVersions, versions 0 to 4: what this broker serves. A request of an unknown version is answered in version 0. */
import { errorCode } from "../protocol/error-codes.ts";
import { apiVersions } from "../protocol/messages/api-versions.ts";
import type { RequestOf, ResponseOf } from "../protocol/schema.ts";
import { handler, type ServedApi } from "./handler.ts";

/** What KIP-511 allows in the name and version of a client's software. */
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

export const apiVersionsHandler = handler(apiVersions, ({ apiVersion, served }, request) =>
  listOf(served, apiVersion >= 3 && !isNamed(request) ? errorCode.invalidRequest : errorCode.none),
);

function isNamed({ clientSoftwareName, clientSoftwareVersion }: RequestOf<typeof apiVersions>): boolean {
  return SOFTWARE.test(clientSoftwareName) && SOFTWARE.test(clientSoftwareVersion);
}

/** The answer with the whole list, as also goes with error 35. */
export function listOf(served: readonly ServedApi[], code: number): ResponseOf<typeof apiVersions> {
  return {
    errorCode: code,
    apiKeys: served.map(({ key, minVersion, maxVersion }) => ({ apiKey: key, minVersion, maxVersion })),
  };
}
