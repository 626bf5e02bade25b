// Judges the life of an account with second factors in a real browser, with zbarimg and oathtool as the phone.
import { execFileSync } from "node:child_process";
import { deviceOf, find, long, serve, visitor } from "./kit.mjs";

// phone is what an authenticator app does with the QR code on the page.
async function phone(v, folder) {
  const file = `${folder}/qr.png`;
  await (await v.page.$("main .qr")).screenshot({ path: file });
  const address = new URL(execFileSync("zbarimg", ["--quiet", "--raw", file], { encoding: "utf8" }).trim());
  const secret = address.searchParams.get("secret");
  if (!secret || address.protocol !== "otpauth:") throw new Error(`the QR code says ${address}`);
  return (seconds = 0) => execFileSync("oathtool", ["--totp", "-b", "--now", new Date(Date.now() + 1000 * seconds).toISOString().replace("T", " ").replace(/\..*/, " UTC"), secret], { encoding: "utf8" }).trim();
}

export async function factors(binary, folder) {
  const server = await serve(binary, folder, "--send-activation-email=false");
  const v = await visitor(server, true);
  const { device, authenticatorId, touches, use } = await deviceOf(v, { transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true });
  await touches(false);
  const signOut = async () => { await v.go("/account/"); await v.press(".bar button"); await v.is("/account/login", "Sign in"); };
  const enter = async (title, path) => {
    await signOut();
    await v.fill({ username: "fay", password: long });
    await v.press();
    await v.is(path, title);
  };
  // type enters a code of the app, and the next one if that has expired on its way. It returns the code.
  const type = async (code) => {
    for (;;) {
      const now = code();
      await v.fill({ code: now });
      await v.press();
      if (!await v.page.$("main input[name=code]") || code() === now) return now;
    }
  };
  const codes = () => v.page.$$eval(".codes code", (list) => list.map((e) => e.textContent));

  await v.go("/account/signup");
  await v.fill({ username: "fay", email: "fay@example.com", password: long });
  await v.press();
  await v.is("/account/", "Profile");

  await v.go("/account/security/app");
  const code = await phone(v, folder);
  await type(() => code(-30)); // the code before this one still counts, and the next login has this one
  await v.is("/account/security/app", "Save your recovery codes");
  const first = await codes();
  if (first.length !== 10) find("factors", `${first.length} recovery codes`);
  await enter("Enter your code", "/account/login/code");
  const now = await type(code);
  await v.is("/account/", "Profile");
  await enter("Enter your code", "/account/login/code");
  await v.fill({ code: now }); // once more
  await v.press();
  await v.is("/account/login/code", "Enter your code");
  await v.go("/account/login/recovery");
  await v.fill({ recovery_code: first[0] });
  await v.press();
  await v.is("/account/", "Profile");

  await touches(true);
  await v.go("/account/security/passkey");
  await use();
  await v.is("/account/security?done=passkey", "Security");
  await v.go("/account/");
  await v.press(".bar button"); // autofill signs in as soon as the user picks the passkey
  await v.page.waitForFunction(() => location.pathname === "/account/" && document.querySelector("h1"));
  await v.is("/account/", "Profile");

  await touches(false); // the phone is lost, with the app and the passkey
  await device.send("WebAuthn.clearCredentials", { authenticatorId });
  await signOut();
  await v.fill({ username: "fay", password: long });
  await v.press();
  await v.go("/account/login/recovery");
  await v.is("/account/login/recovery", "Use a recovery code");
  await v.fill({ recovery_code: first[0] }); // it was used
  await v.press();
  await v.is("/account/login/recovery", "Use a recovery code");
  await v.fill({ recovery_code: first[1] });
  await v.press();
  await v.is("/account/", "Profile");

  await v.go("/account/security");
  await v.press("form:has([name=codes]) button");
  await v.is("/account/security", "Save your recovery codes");
  const second = await codes();
  if (second.length !== 10 || second.some((c) => first.includes(c))) find("factors", "the recovery codes are not renewed");
  await v.go("/account/security");
  await v.press("form:has([name=remove]) button.danger"); // the passkey
  await v.is("/account/security?done=saved", "Security");
  await v.press("form:has([name=remove]) button.danger"); // the app, and the recovery codes with it
  await v.is("/account/security?done=saved", "Security");
  if (await v.page.$("form:has([name=remove]), form:has([name=codes])")) find("factors", "a factor is left");
  await enter("Profile", "/account/"); // with the password alone
  await v.context.close();
}
