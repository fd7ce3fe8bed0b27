using System.IO.Compression;
using System.Text;
using Crust.Seeds.Secrets;

namespace Crust.Tests.Seeds.Secrets;

public sealed class FileSecretsTests
{
    private const string Key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n-----END OPENSSH PRIVATE KEY-----";

    // Every word that is secret has `hid` in it, no other has.
    [TestCase("ks.cfg", "rootpw --plaintext \"hidden hid-one hidden\"\nuser --name=edge --password=\"hidden hid-two\"\nautopart --encrypted --passphrase='hidden hid-three'\n"
        + "network --bootproto=dhcp --wpakey=hidden4\nbootloader --password hidden5\nsshpw --username=me hidden6 --plaintext\nrealm join --one-time-password=hidden7 example.org\n"
        + "rhsm --organization=1 --activation-key=hidden8\niscsi --ipaddr=1.2.3.4 --user=me --password=hidden9 --reverse-password=hidden0\nurl --url=http://mirror --proxy=http://me:hidden@proxy:3128\nuser --name=b --passw=hidden\\ a\n", TestName = "kickstart_commands")]
    [TestCase("ks.cfg", "text\n%post\ncat > /etc/a.conf <<EOF\npassword = hidden hid-more hidden\nEOF\necho 'root:hidden1' | chpasswd\nchpasswd <<'X'\nedge:hidden:2\nX\ncurl -H \"Authorization: Bearer hidden3\" -u me:hidden4 https://a\nexport K3S_TOKEN=hidden5\n%end\n", TestName = "kickstart_scripts")]
    [TestCase("preseed.cfg", "d-i passwd/root-password password hidden hid-one\nd-i passwd/root-password-again password hidden hid-one\nd-i partman-crypto/passphrase password hidden2\nd-i grub-installer/password password hidden3\n"
        + "d-i netcfg/wireless_wpa string hidden4\nd-i netcfg/wireless_wep string hidden5\nd-i mirror/http/proxy string http://me:hidden6@proxy:3128/\nd-i network-console/password-again password \\\n  hidden7 \\\n  hidden8\n"
        + "x-own a/question password hidden9\nd-i preseed/late_command string in-target sh -c 'echo edge:hidden10 | chpasswd'\n", TestName = "preseed")]
    [TestCase(".netrc", "machine a login me password hidden1\ndefault\n  login x\n  password hidden2\n", TestName = "netrc")]
    [TestCase("root/.npmrc", "//registry.example.org/:_authToken=hidden1\nregistry=https://registry.example.org\n_password=\"hidden2\"\n", TestName = "npmrc")]
    [TestCase(".pypirc", "[pypi]\nusername = me\npassword = hidden hid-one\n", TestName = "pypirc")]
    [TestCase(".git-credentials", "https://me:hidden@example.org\n", TestName = "git-credentials")]
    [TestCase(".pgpass", "host:5432:db:me:hidden\n", TestName = "pgpass")]
    [TestCase(".aws/credentials", "[default]\naws_access_key_id = AKIA\naws_secret_access_key = hidden/hid+two\n", TestName = "aws")]
    [TestCase("wpa_supplicant.conf", "network={\n  ssid=\"home\"\n  psk=\"hidden hid-one\"\n  wep_key0=hidden2\n}\n", TestName = "wpa_supplicant")]
    [TestCase("wg0.conf", "[Interface]\nPrivateKey = hiddenAbc=\n[Peer]\nPublicKey = abc=\nPresharedKey = hiddenDef=\n", TestName = "wireguard")]
    [TestCase("home.nmconnection", "[wifi-security]\nkey-mgmt=wpa-psk\npsk=hidden1\n[802-1x]\nprivate-key-password=hidden2\n", TestName = "NetworkManager")]
    [TestCase("kubeconfig", "apiVersion: v1\nusers:\n- name: me\n  user:\n    client-certificate-data: abc\n    client-key-data: hidden1\n    token: \"hidden2\" # a comment\n    client-key: /etc/key.pem\n", TestName = "kubeconfig")]
    [TestCase("secrets.yaml", "apiVersion: v1\nkind: ConfigMap\ndata: {a: b}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  username: hidden1\n  config.yaml: |\n    hidden2\n    hidden3\n---\nkind: Pod\nspec: {containers: [{env: [{name: X_TOKEN, value: hidden4}]}]}\n", TestName = "kubernetes")]
    [TestCase("network-config", "version: 2\nwifis:\n  wlan0:\n    access-points:\n      home: {password: hidden1}\n      work:\n        auth: {key-management: eap, password: 'hidden ''hid2', client-key: /k.pem, client-key-password: hidden3}\ntunnels:\n  wg0: {mode: wireguard, key: hidden4, peers: [{keys: {public: abc, shared: hidden5}}]}\n", TestName = "netplan")]
    [TestCase("password.txt", "hidden\n", TestName = "a_file_whose_name_says_it")]
    [TestCase("var/lib/rancher/k3s/server/token", "hidden::hidserver:abchidden", TestName = "a_token_file")]
    [TestCase("age.txt", "# public key: age1abc\nAGE-SECRET-KEY-1HIDDENHIDDENHIDDENHIDDEN\n", TestName = "age")]
    [TestCase("unit.service", "[Service]\nEnvironment=\"API_KEY=hidden hid-one\" OTHER=a\nExecStart=/bin/x --token hidden2 --name a\n", TestName = "a_unit")]
    [TestCase("settings.json", "{\"name\": \"a\", \"db\": {\"password\": \"hid\\u0064hid hidden\"}, \"url\": \"https://me:hidden@host/\"}", TestName = "json")]
    [TestCase("answer.xml", "<Password>hidden</Password><Name>a</Name>", TestName = "xml")]
    [TestCase("user-data", "#cloud-config\nruncmd:\n- [tool, --password, hidden1, a]\n- tool --api-token 'hidden hid2' b\nchpasswd:\n  list: |\n    root:hidden3\n    me:R\nrh_subscription: {username: a, password: hidden4, activation-key: hidden5}\nchef: {validation_key: hidden6}\nlandscape: {client: {registration_key: hidden7, account_name: a}}\nphone_home: {url: 'https://me:hidden8@host/'}\n", TestName = "cloud-config")]
    public void Secrets_are_found_and_nothing_else(string name, string text)
    {
        var masked = FoundSecret.Replace(text, FileSecrets.In(name, text), "***");

        Assert.That(masked, Does.Not.Contain("hid").IgnoreCase, masked);
        Assert.That(FileSecrets.In(name, text), Is.Not.Empty);
        foreach (var word in Words(text).Where(word => !word.Contains("hid", StringComparison.OrdinalIgnoreCase)))
            Assert.That(Words(masked), Does.Contain(word), masked);
    }

    [TestCase("motd", "Welcome to edge. Ask for the password at the desk.\n")]
    [TestCase("sshd_config", "PasswordAuthentication no\nPermitRootLogin prohibit-password\n")]
    [TestCase("key.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJWmGMAYoNFSuREVdWs9DL6VyHrnUZrPzqNbQqTFbZTw me\n")]
    [TestCase("ca.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")]
    [TestCase("user-data", "#cloud-config\nusers:\n- name: edge\n  lock_passwd: true\n  passwd: '*'\nssh_pwauth: false\napt: {sources: {a: {source: deb https://a b c, keyid: abc, key: \"-----BEGIN PGP PUBLIC KEY BLOCK-----\\nabc\"}}}\nca_certs: {trusted: [abc]}\n")]
    [TestCase("ks.cfg", "rootpw --lock\nuser --name=edge --iscrypted\nurl --url=http://mirror/os\nsshkey --username=edge \"ssh-ed25519 AAAA me\"\n")]
    [TestCase("preseed.cfg", "d-i passwd/root-login boolean false\nd-i passwd/user-password-crypted password !\nd-i passwd/username string edge\nd-i user-setup/allow-password-weak boolean true\nd-i passwd/root-password password\n")]
    [TestCase("run.sh", "TOKEN=$1\nPASSWORD=\"${PASSWORD}\"\ncurl -H \"Authorization: Bearer $TOKEN\" https://host/\ndocker run -u 1000:1000 --token-file /run/token x\n")]
    [TestCase("pod.yaml", "kind: Pod\nspec:\n  imagePullSecrets: [{name: regcred}]\n  volumes: [{secret: {secretName: a, defaultMode: 256}}]\n  containers: [{env: [{name: A_TOKEN, valueFrom: {secretKeyRef: {name: a, key: b}}}]}]\n")]
    [TestCase("config.json", "{\"auths\": {\"registry.example.org\": {}}, \"credsStore\": \"desktop\"}")]
    public void What_is_no_secret_stays(string name, string text) => Assert.That(FileSecrets.In(name, text).Select(found => text.Substring(found.Start, found.Length)), Is.Empty);

    [Test]
    public void Contents_are_looked_at_behind_their_encoding_and_logs_are_kept_free_of_both_forms()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(Encoding.UTF8.GetBytes("machine a login b password correct-horse"));
        var (base64, gzipped) = (Convert.ToBase64String(Encoding.UTF8.GetBytes(Key)), Convert.ToBase64String(packed.ToArray()));
        var text = $"#cloud-config\nwrite_files:\n- {{path: /root/.ssh/id, encoding: b64, content: {base64}}}\n- path: /root/.netrc\n  encoding: gz+b64\n  content: {gzipped}\n";

        var found = FileSecrets.In("user-data", text);

        Assert.That(FoundSecret.Replace(text, found, "***"), Does.Not.Contain(base64).And.Not.Contain(gzipped).And.Contain("/root/.netrc"));
        Assert.That(found.SelectMany(one => one.ValuesIn(text)), Does.Contain(Key).And.Contain("correct-horse").And.Contain(base64));
    }

    [Test]
    public void Ignition_carries_secrets_in_headers_data_URLs_and_hashes()
    {
        var file = "data:;base64," + Convert.ToBase64String("machine a login b password correct-horse"u8);
        var text = """
            {"ignition": {"version": "3.4.0", "config": {"merge": [{"source": "https://a", "httpHeaders": [{"name": "Authorization", "value": "Basic battery"}, {"name": "User-Agent", "value": "tool"}]}]}},
            	"passwd": {"users": [{"name": "core", "passwordHash": "$y$j9T$abcdefgh$staplestaple", "sshAuthorizedKeys": ["ssh-ed25519 AAAA me"]}]},
             "storage": {"luks": [{"name": "a", "device": "/dev/b", "keyFile": {"source": "data:,lukspassphrase"}, "clevis": {"custom": {"pin": "tang", "config": "{clevisconfig}"}}}],
              "files": [{"path": "/root/.netrc", "contents": {"source": "FILE"}}, {"path": "/etc/hostname", "contents": {"source": "data:,edge-1"}}]}}
            """.Replace("FILE", file);

        var found = FileSecrets.In("config.ign", text);
        var masked = FoundSecret.Replace(text, found, "***");

        Assert.That(new[] { "battery", "staple", "lukspassphrase", "clevisconfig", file }.Where(masked.Contains), Is.Empty, masked);
        Assert.That(new[] { "tool", "core", "ssh-ed25519", "/dev/b", "edge-1", "tang" }.Where(word => !masked.Contains(word)), Is.Empty, masked);
        Assert.That(found.SelectMany(one => one.ValuesIn(text)), Does.Contain("correct-horse"));
    }

    [Test]
    public void A_docker_login_is_known_by_what_it_is_decoded_to()
    {
        var login = Convert.ToBase64String("me:correct-horse"u8);
        var text = $"{{\"auths\": {{\"registry.example.org\": {{\"auth\": \"{login}\"}}}}}}";

        Assert.That(FileSecrets.In("config.json", text).SelectMany(one => one.ValuesIn(text)), Does.Contain(login).And.Contain("correct-horse").Or.Contain($"\"{login}\""));
    }

    [Test]
    public void A_text_without_end_takes_no_time()
    {
        foreach (var text in new[] { new string('a', 1 << 20), new string(' ', 1 << 20), "password: " + new string(' ', 1 << 20) + "x", new string('"', 1 << 18), string.Concat(Enumerable.Repeat("machine ", 1 << 15)), new string('-', 1 << 19) + "--" })
            Assert.That(() => FileSecrets.In("notes", text), Throws.Nothing);
    }

    private static IEnumerable<string> Words(string text) => text.Split([' ', '\n', '\t', '"', '\'', ',', '{', '}', '=', '[', ']', '<', '>', '@', '\\', ':', '/'], StringSplitOptions.RemoveEmptyEntries).Where(word => word.Length > 1);
}
