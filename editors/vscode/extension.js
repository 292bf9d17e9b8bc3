// Starts `chiasm lsp` and leaves everything else to it.

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

async function activate(context) {
  const command = vscode.workspace.getConfiguration("chiasm").get("path");
  const watcher = vscode.workspace.createFileSystemWatcher("**/*.chi");
  context.subscriptions.push(watcher);
  client = new LanguageClient(
    "chiasm",
    "Chiasm",
    { command, args: ["lsp"] },
    { documentSelector: [{ language: "chiasm" }], synchronize: { fileEvents: watcher } },
  );
  try {
    await client.start();
  } catch (error) {
    vscode.window.showErrorMessage(`Cannot start \`${command} lsp\` (setting chiasm.path): ${error.message}`);
  }
}

async function deactivate() {
  await client?.stop();
}

module.exports = { activate, deactivate };
