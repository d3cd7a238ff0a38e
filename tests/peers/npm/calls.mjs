// Calls of Microsoft's client for JavaScript, one after another, on an account that the environment
// names. Writes a line of JSON for each: its name, and what went wrong, if anything did.
import { createRequire } from "node:module";

const { BatchServiceClient, BatchSharedKeyCredentials } = createRequire(import.meta.url)("@azure/batch");

const { BATCH_ACCOUNT, BATCH_KEY, BATCH_ENDPOINT } = process.env;
const credentials = new BatchSharedKeyCredentials(BATCH_ACCOUNT, BATCH_KEY);
const client = new BatchServiceClient(credentials, BATCH_ENDPOINT, { noRetryPolicy: true });
const { account, application, computeNode, file, job, pool, task } = client;

const machine = {
    imageReference: { publisher: "canonical", offer: "ubuntu-24_04-lts", sku: "server" },
    nodeAgentSKUId: "batch.node.ubuntu 24.04",
};
const seen = {};

function expect(truth, what) {
    if (!truth) throw new Error(`unexpected: ${what}`);
}

async function until(look, wanted) {
    for (const end = Date.now() + 30_000; Date.now() < end; ) {
        const value = await look();
        if (wanted(value)) return value;
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error("it did not come to it");
}

async function text(response) {
    const parts = [];
    for await (const part of response.readableStreamBody) parts.push(part);
    return Buffer.concat(parts).toString();
}

const steady = (id) => until(() => pool.get(id), (it) => it.allocationState === "steady");
const idle = () => until(() => computeNode.list("pool"), (all) => all.every((it) => it.state === "idle"));
const ended = (id) => until(() => task.get("job", id), (it) => it.state === "completed");
const path = "workitems/job/job-1/one/stdout.txt";

const calls = {
    "account.listSupportedImages": async () => expect((await account.listSupportedImages()).length, "no image"),
    "pool.add": () =>
        pool.add({
            id: "pool", vmSize: "Standard_D2s_v3", virtualMachineConfiguration: machine,
            targetDedicatedNodes: 1, taskSlotsPerNode: 4, metadata: [{ name: "a", value: "b" }],
        }),
    "pool.add, formula": () =>
        pool.add({
            id: "scaled", vmSize: "Standard_D2s_v3", virtualMachineConfiguration: machine,
            enableAutoScale: true, autoScaleFormula: "$TargetDedicatedNodes=0",
        }),
    "pool.exists": async () => expect((await pool.exists("pool"))._response.status === 200, "status"),
    "pool.get": async () => expect((await pool.get("pool")).taskSlotsPerNode === 4, "slots"),
    "pool.list": async () => expect((await pool.list()).length === 2, "pools"),
    "pool.patch": () => pool.patch("pool", { metadata: [{ name: "c", value: "d" }] }),
    "pool.updateProperties": () =>
        pool.updateProperties("pool", { certificateReferences: [], applicationPackageReferences: [], metadata: [] }),
    "pool.resize": async () => {
        await steady("pool");
        await pool.resize("pool", { targetDedicatedNodes: 2 });
    },
    "pool.stopResize": async () => {
        await steady("pool");
        await pool.resize("pool", { targetDedicatedNodes: 3 });
        await pool.stopResize("pool");
    },
    "account.listPoolNodeCounts": async () => expect((await account.listPoolNodeCounts()).length === 2, "pools"),
    "pool.evaluateAutoScale": async () => {
        await steady("scaled");
        const run = await pool.evaluateAutoScale("scaled", "$TargetDedicatedNodes=3");
        expect(run.results.startsWith("$TargetDedicatedNodes=3;"), run.results);
    },
    "pool.disableAutoScale": () => pool.disableAutoScale("scaled"),
    "pool.enableAutoScale": async () => {
        await steady("scaled");
        await pool.enableAutoScale("scaled", { autoScaleFormula: "$TargetDedicatedNodes=0" });
    },
    "application.list": async () => expect((await application.list()).length === 1, "applications"),
    "application.get": async () => expect((await application.get("application_id")).id === "application_id", "id"),
    "computeNode.list": async () => {
        await steady("pool");
        seen.node = (await idle())[0].id;
    },
    "computeNode.get": async () => expect((await computeNode.get("pool", seen.node)).state === "idle", "state"),
    "computeNode.disableScheduling": () => computeNode.disableScheduling("pool", seen.node),
    "computeNode.enableScheduling": () => computeNode.enableScheduling("pool", seen.node),
    "job.add": () => job.add({ id: "job", poolInfo: { poolId: "pool" }, priority: 7, usesTaskDependencies: true }),
    "job.get": async () => expect((await job.get("job")).priority === 7, "priority"),
    "job.list": async () => expect((await job.list()).length === 1, "jobs"),
    "job.patch": () => job.patch("job", { priority: 9 }),
    "job.update": () => job.update("job", { poolInfo: { poolId: "pool" }, priority: 3 }),
    "job.disable": async () => {
        await job.disable("job", "requeue");
        await until(() => job.get("job"), (it) => it.state === "disabled");
    },
    "job.enable": () => job.enable("job"),
    "task.add": () => task.add("job", { id: "one", commandLine: "/bin/sh -c 'echo hello'" }),
    "task.addCollection": async () => {
        const added = await task.addCollection("job", [
            { id: "fails", commandLine: "/bin/sh -c 'exit 3'", dependsOn: { taskIds: ["one"] } },
            { id: "waits", commandLine: "/bin/sleep 600" },
        ]);
        expect(added.value.every((it) => it.status.toLowerCase() === "success"), "status");
    },
    "task.list": async () => expect((await task.list("job")).length === 3, "tasks"),
    "task.get": async () => {
        const one = await ended("one");
        expect(one.executionInfo.exitCode === 0, "exit code");
        seen.node = one.nodeInfo.nodeId;
    },
    "task.update": () => task.update("job", "waits", { constraints: { maxTaskRetryCount: 2 } }),
    "job.getTaskCounts": async () => {
        await ended("fails");
        expect((await job.getTaskCounts("job")).taskCounts.failed === 1, "failed");
    },
    "file.listFromTask": async () => expect((await file.listFromTask("job", "one")).length >= 2, "files"),
    "file.getFromTask": async () =>
        expect((await text(await file.getFromTask("job", "one", "stdout.txt"))) === "hello\n", "text"),
    "file.getPropertiesFromTask": async () =>
        expect((await file.getPropertiesFromTask("job", "one", "stdout.txt")).contentLength === 6, "length"),
    "file.listFromComputeNode": async () =>
        expect((await file.listFromComputeNode("pool", seen.node, {
            fileListFromComputeNodeOptions: {}, recursive: true,
        })).length >= 2, "files"),
    "file.getFromComputeNode": async () =>
        expect((await text(await file.getFromComputeNode("pool", seen.node, path))) === "hello\n", "text"),
    "file.getPropertiesFromComputeNode": async () =>
        expect((await file.getPropertiesFromComputeNode("pool", seen.node, path)).contentLength === 6, "length"),
    "task.terminate": () => task.terminate("job", "waits"),
    "task.reactivate": () => task.reactivate("job", "fails"),
    "task.deleteMethod": () => task.deleteMethod("job", "one"),
    "job.terminate": () => job.terminate("job", { terminateReason: "enough" }),
    "job.deleteMethod": () => job.deleteMethod("job"),
    "computeNode.reboot": async () => {
        await until(() => computeNode.get("pool", seen.node), (it) => it.state === "idle");
        await computeNode.reboot("pool", seen.node);
    },
    "pool.removeNodes": async () => {
        await idle();
        await pool.removeNodes("pool", { nodeList: [seen.node] });
    },
    "pool.deleteMethod": () => pool.deleteMethod("scaled"),
};

for (const [name, call] of Object.entries(calls)) {
    let failure = "";
    try {
        await call();
    } catch (error) {
        failure = `${error.code ?? ""} ${error.body?.message?.value ?? error.message}`.trim();
    }
    process.stdout.write(`${JSON.stringify({ step: name, failure })}\n`);
}
