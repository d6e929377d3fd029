import { expect, test } from "vitest";
import { Bill, bundledPackages, licenceCounts, withBundled } from "./bill.ts";

const mit = [{ license: { id: "MIT" } }];

function bill(...components: object[]): Bill {
  return Bill.parse({ bomFormat: "CycloneDX", specVersion: "1.7", components });
}

const services = bill(
  { group: "@kelvin", name: "streams", version: "0.1.0", licenses: [{ license: { id: "Apache-2.0" } }] },
  { name: "kafkajs", version: "2.2.4", licenses: mit, purl: "pkg:npm/kafkajs@2.2.4" },
  { name: "engine.io-parser", version: "5.2.3", licenses: mit },
);
const everything = bill(
  { name: "chart.js", version: "4.6.1", licenses: mit },
  { group: "@kurkle", name: "color", version: "0.3.4", licenses: mit },
  { name: "vite", version: "8.3.8", licenses: mit },
);
const licences = `# Licenses
## @kurkle/color - 0.3.4 (MIT)
## chart.js - 4.6.1 (MIT)
## engine.io-parser - 5.2.3 (MIT)
`;

test("what the page is built of joins the services' packages, once each, and tools don't", () => {
  const whole = withBundled(services, everything, bundledPackages(licences));
  expect(whole.components.map(({ name }) => name)).toEqual([
    "streams",
    "kafkajs",
    "engine.io-parser",
    "color",
    "chart.js",
  ]);
  expect(whole).toMatchObject({ specVersion: "1.7" });
  expect(whole.components[1]).toMatchObject({ purl: "pkg:npm/kafkajs@2.2.4" });
  expect(licenceCounts(whole)).toEqual([["MIT", 4]]);
});

test("a page of packages that nobody knows, or of none, is no bill", () => {
  expect(() => withBundled(services, everything, ["left-pad@1.0.0"])).toThrow(
    /left-pad@1\.0\.0 is in the page/,
  );
  expect(() => withBundled(services, everything, bundledPackages("# Licenses"))).toThrow(/names no package/);
});
