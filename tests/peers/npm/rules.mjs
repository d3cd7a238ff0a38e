// What rrule makes of rules of RFC 5545. Reads a JSON list of cases, each with its rules and the
// dates between which it is asked for; writes, for each, the sorted times of all its rules.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { RRule } = createRequire(import.meta.url)("rrule");

function times({ start, end, rules }) {
    const dtstart = new Date(`${start}T00:00:00Z`);
    const until = new Date(`${end}T00:00:00Z`);
    const found = rules.flatMap((rule) => {
        const options = RRule.parseString(rule);
        return new RRule({ ...options, dtstart }).between(dtstart, until, true);
    });
    return [...new Set(found.map((one) => one.toISOString().slice(0, 16)))].sort();
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(times)));
