/** setup.sh --all-users, as root, with files of the machine that are this test's own (a mount namespace). */
import assert from "node:assert/strict";
import { WITHOUT_SANITIZERS } from "./pypi_world.ts";
import { startSetupWorld } from "./setup_world.ts";

/** null: root, and mounts can be made that nobody else sees. */
async function whyNot(): Promise<string | null> {
  try {
    const { success } = await new Deno.Command("unshare", {
      args: ["--mount", "sh", "-c", '[ "$(id -u)" = 0 ] && mount -t tmpfs none /mnt'],
      stdout: "null",
      stderr: "null",
    }).output();
    return success ? null : "mounts of one's own need root";
  } catch {
    return "there is no unshare";
  }
}

/**
 * Root's own home is another, so that this machine's is left alone. ada's .npmrc is a link to what is not hers. What
 * is printed between marks is what the machine holds then.
 */
const MACHINE = `
set -e
cp -a /etc "$1/etc"
mkdir "$1/home" "$1/var"
mount --bind "$1/etc" /etc
mount --bind "$1/home" /home
mount --bind "$1/var" /var/lib
sed -i '/^\\(root\\|ada\\|grace\\):/d' /etc/passwd
rm -f /etc/pip.conf
cat >>/etc/passwd <<'PASSWD'
root:x:0:0:root:/home/root:/bin/sh
ada:x:5101:5101::/home/ada l:/bin/sh
grace:x:5102:5102::/home/grace:/bin/sh
service:x:5103:5103::/home/service:/usr/sbin/nologin
PASSWD
for who in root "ada l" grace service; do mkdir "/home/$who"; done
printf 'secret\\n' >/etc/secret
chmod 600 /etc/secret
ln -s /etc/secret "/home/ada l/.npmrc"
printf 'registry=https://old.example/\\n' >/home/grace/.npmrc
chown -R 5101 "/home/ada l"
chown -R 5102 /home/grace
look() {
  echo "[$1]"
  find /home /etc/pip.conf /etc/uv /etc/profile.d /var/lib -type f 2>/dev/null | grep -v sluice-setup/ | sort |
    while IFS= read -r file; do printf '%s %s %s\\n' "$(stat -c '%U %a' "$file")" "$file" "$(cksum <"$file")"; done
  cat /etc/secret
}
HOME=/home/root
export HOME
look before
for what in "--dry-run" "" "--undo"; do
  # shellcheck disable=SC2086
  sh "$2" --all-users --clients npm,pip,uv,pipenv --no-verify --token-file "$3" $what 2>&1 || echo "code $?"
  look "after $what"
done
`;

const missing = await whyNot();

Deno.test({
  name: `setup.sh --all-users: the machine's files, and each home as its owner; undone to the byte${
    missing === null ? "" : ` (skipped: ${missing})`
  }`,
  ignore: missing !== null,
  ...WITHOUT_SANITIZERS,
  async fn() {
    await using world = await startSetupWorld();
    await using home = await world.home("guarded");
    await home.write("machine.sh", MACHINE);
    await home.write("token", world.token, 0o600);
    const root = await Deno.makeTempDir({ prefix: "sluice-machine-" });
    try {
      await Deno.chmod(root, 0o755);
      const token = `${home.folder}/token`;
      const script = `${home.folder}/../setup.sh`;
      const ran = await home.run("", "unshare", "--mount", "sh", "machine.sh", root, script, token);
      assert.equal(ran.code, 0, ran.output);
      const [before, dry, after, undone] = ran.output.split(/^\[[a-z -]+\]\n/m).slice(1)
        .map((part) => part.slice(0, part.indexOf("secret\n") + 7));
      assert.equal(dry, before);
      assert.equal(undone, before);
      const lines = after!.split("\n").map((line) => line.replace(/ \d+ \d+$/, ""));
      for (
        const line of [
          "root 644 /etc/pip.conf",
          "root 644 /etc/uv/uv.toml",
          "root 644 /etc/profile.d/sluice.sh",
          "ada 644 /home/ada l/.config/pip/pip.conf",
          "ada 600 /home/ada l/.netrc",
          "grace 600 /home/grace/.npmrc",
          "grace 600 /home/grace/.netrc",
          "root 600 /home/root/.netrc",
        ]
      ) assert.ok(lines.includes(line), `${line}\n${after}\n${ran.output}`);
      assert.doesNotMatch(after!, /\/home\/service\//);
      assert.match(after!, /\nsecret\n$/, "what a link of somebody's leads to is nobody's to write");
      assert.match(ran.output, /cannot read ~\/\.npmrc: nothing was changed in it/);
      assert.ok(!ran.output.includes(world.token), "no token on the terminal");
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});
