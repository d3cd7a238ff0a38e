// Reads {"tables": {name: "(column:type,...)"}, "queries": {name: text}} and answers, for each query,
// what Microsoft's parser finds wrong with it against these tables, and the columns it returns.
const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const folder = path.join(__dirname, "node_modules/@kusto/language-service-next");
for (const name of ["bridge.min.js", "Kusto.Language.Bridge.min.js"]) {
  // Scripts for a page: they share the global object instead of exporting anything.
  vm.runInThisContext(fs.readFileSync(path.join(folder, name), "utf8"), { filename: name });
}
const { Symbols, GlobalState, KustoCode } = globalThis.Kusto.Language;

const asked = JSON.parse(fs.readFileSync(0, "utf8"));
const tables = Object.entries(asked.tables).map(
  ([name, columns]) => new Symbols.TableSymbol.$ctor7(name, columns, null),
);
const workspace = GlobalState.Default.WithDatabase(new Symbols.DatabaseSymbol.ctor("workspace", tables));
const items = (list) => Array.from({ length: list.Count }, (_, index) => list.getItem(index));

const answer = {};
for (const [name, text] of Object.entries(asked.queries)) {
  const code = KustoCode.ParseAndAnalyze(text, workspace);
  answer[name] = {
    diagnostics: items(code.GetDiagnostics()).map((found) => `${found.Code} ${found.Message}`),
    columns: items(code.ResultType?.Columns ?? { Count: 0 }).map((column) => [column.Name, column.Type.Name]),
  };
}
process.stdout.write(JSON.stringify(answer));
