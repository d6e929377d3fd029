/** ApiVersions, versions 0 to 4: what this broker serves. A request of an unknown version is answered in version 0. */
import { errorCode } from "../protocol/error-codes.ts";
import { apiVersions } from "../protocol/messages/api-versions.ts";
import type { RequestOf, ResponseOf } from "../protocol/schema.ts";
import { handler, type ServedApi } from "./handler.ts";

type Response = ResponseOf<typeof apiVersions>;

/** What KIP-511 allows in the name and version of a client's software. */
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

export const apiVersionsHandler = handler(apiVersions, ({ apiVersion, served }, request) =>
  apiVersion >= 3 && !isNamed(request)
    ? answer(errorCode.invalidRequest, [])
    : answer(errorCode.none, served),
);

function isNamed({ clientSoftwareName, clientSoftwareVersion }: RequestOf<typeof apiVersions>): boolean {
  return SOFTWARE.test(clientSoftwareName) && SOFTWARE.test(clientSoftwareVersion);
}

/** The answer to a version that is not served: in which ones to ask again, and nothing of other APIs (KIP-511). */
export function otherVersion(served: readonly ServedApi[]): Response {
  const own = served.filter(({ key }) => key === apiVersions.key);
  return answer(errorCode.unsupportedVersion, own);
}

const answer = (code: number, listed: readonly ServedApi[]): Response => ({
  errorCode: code,
  apiKeys: listed.map(({ key, minVersion, maxVersion }) => ({ apiKey: key, minVersion, maxVersion })),
});
