import { api, array, arrayOf, int16, int32, string } from "../schema.ts";

export const listGroups = api({
  key: 16,
  name: "ListGroups",
  versions: [0, 5],
  flexible: 3,
  request: {
    statesFilter: arrayOf(string(), { since: 4, default: [] }),
    typesFilter: arrayOf(string(), { since: 5, default: [] }),
  },
  response: {
    throttleTimeMs: int32({ since: 1, default: 0 }),
    errorCode: int16(),
    groups: array({
      groupId: string(),
      protocolType: string(),
      groupState: string({ since: 4, default: "" }),
      groupType: string({ since: 5, default: "" }),
    }),
  },
});
