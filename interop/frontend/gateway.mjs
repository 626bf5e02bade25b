// Runs examples/browser behind a gateway at the address of its argument, and prints what it got.
import { accounts } from "../../examples/browser/accounts.js";

const account = accounts(process.argv[2]);
await account.login("alice", "correct horse battery");
const notes = await account.call("/notes");
const again = await account.call("/again");
console.log(JSON.stringify([notes.status, await notes.json(), again.status, (await again.json()).code]));
