namespace Crust.Tests.Spec;

public sealed class SpecErrorTests
{
    private const string BootKeys = "write characters of an American keyboard, and names such as <enter>, <esc>, <f10>, <down>, <wait2s>, <leftCtrlOn> and <leftCtrlOff>";

    private const string IsoTargets = "write auto, ask, a path such as /dev/sda or /dev/nvme0n1, size>=200G, size<=1T, or serial: and a pattern such as serial:S3Z*";

    private SpecSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SpecSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public void A_missing_file() => ErrorAssert.Says(
        Assert.Throws<CrustException>(() => _sample.ReadFile("none.yaml"))!,
        FailureKind.BadInput, "The spec file doesn't exist", "none.yaml", "check the path");

    [Test]
    public void A_folder_in_place_of_a_file() => ErrorAssert.Says(
        Assert.Throws<CrustException>(() => _sample.ReadFile("."))!,
        FailureKind.BadInput, "The spec file is a folder", ".", "name a file");

    [Test]
    public void A_file_that_is_not_text()
    {
        File.WriteAllBytes(Path.Combine(_sample.Folder, "crust.yaml"), [0xff, 0xfe, 0x00, 0xd8]);

        ErrorAssert.Says(Assert.Throws<CrustException>(() => _sample.ReadFile("crust.yaml"))!,
            FailureKind.BadInput, "The spec file isn't UTF-8 text", "crust.yaml", "save it as UTF-8");
    }

    [TestCase("name: 'edge\n", "This isn't YAML: while scanning a quoted scalar, found unexpected end of stream", "crust.yaml:2:1")]
    [TestCase("name: edge\nmachine: b: c\n", "This isn't YAML: while scanning a plain scalar value, found invalid mapping", "crust.yaml:2:11")]
    [TestCase("formats: [img, vmdk\nname: x\n", "This isn't YAML: a list in [ ] or a mapping in { } isn't closed", "crust.yaml:1:14")]
    public void YAML_that_does_not_parse(string yaml, string what, string where) =>
        ErrorAssert.Says(_sample.Fail(yaml), FailureKind.BadInput, what, where, "mend the line, or the one before it");

    [Test]
    public void An_alias_without_an_anchor() => ErrorAssert.Says(
        _sample.Fail("machine: {}\nname: *.example\n"),
        FailureKind.BadInput, "An alias (*name) has no anchor (&name) before it", "crust.yaml:2:7", "quote the value if it merely begins with an asterisk");

    [Test]
    public void A_tab_that_indents() => ErrorAssert.Says(
        _sample.Fail("name: edge\nmachine:\n\tdisk: 1G\n"),
        FailureKind.BadInput, "A tab indents a line, which YAML doesn't allow", "crust.yaml:3:1", "indent with spaces");

    [Test]
    public void A_key_that_stands_twice() => ErrorAssert.Says(
        _sample.Fail("machine:\n  disk: 1G\n  disk: 2G\n"),
        FailureKind.BadInput, "A key stands twice", "crust.yaml:3:3", "keep one of the two");

    [Test]
    public void Several_documents() => ErrorAssert.Says(
        _sample.Fail("name: a\n---\nname: b\n"),
        FailureKind.BadInput, "It holds 2 YAML documents", "crust.yaml:3:1", "keep one document");

    [TestCase("machine:\n  disc: 1G\n", "machine.disc", "crust.yaml:2:3", "did you mean 'machine.disk'?")]
    [TestCase("disk: 1G\n", "disk", "crust.yaml:1:1", "did you mean 'machine.disk'?")]
    [TestCase("seed:\n  user_data: x\n", "seed.user_data", "crust.yaml:2:3", "did you mean 'seed.userData'?")]
    [TestCase("machines:\n  disk: 1G\n", "machines", "crust.yaml:1:1", "did you mean 'machine'?")]
    [TestCase("verify:\n  bananas: 1\n", "verify.bananas", "crust.yaml:2:3", "use one of the keys boot, expect, ssh, checks, deadline")]
    [TestCase("seed:\n  ssh:\n    passwrod: x\n", "seed.ssh.passwrod", "crust.yaml:3:5", "did you mean 'seed.ssh.password'?")]
    public void An_unknown_key(string yaml, string key, string where, string remedy) =>
        ErrorAssert.Says(_sample.Fail(yaml), FailureKind.BadInput, $"There is no key '{key}'", $"{where}, {key}", remedy);

    [Test]
    public void A_spec_that_is_no_mapping() => ErrorAssert.Says(
        _sample.Fail("- img\n"),
        FailureKind.BadInput, "The spec isn't a mapping", "crust.yaml:1:1",
        "write keys below it: version, name, installer, base, medium, site, machine, seed, layers, inspect, tidy, trim, formats, qcow2, iso, verify, sign, publish, cache");

    [Test]
    public void A_section_that_is_no_mapping() => ErrorAssert.Says(
        _sample.Fail("verify: true\n"),
        FailureKind.BadInput, "'verify' isn't a mapping", "crust.yaml:1:9, verify", "write keys below it: boot, expect, ssh, checks, deadline");

    [Test]
    public void A_key_that_is_no_word() => ErrorAssert.Says(
        _sample.Fail("verify:\n  [a]: 1\n"),
        FailureKind.BadInput, "A key isn't a word", "crust.yaml:2:3, verify", "write one of the keys: boot, expect, ssh, checks, deadline");

    [Test]
    public void A_list_for_a_single_value() => ErrorAssert.Says(
        _sample.Fail("machine:\n  disk: [1G]\n"),
        FailureKind.BadInput, "'machine.disk' takes one value, not a list", "crust.yaml:2:9, machine.disk", "write disk: SIZE");

    [Test]
    public void A_mapping_for_a_single_value() => ErrorAssert.Says(
        _sample.Fail("machine:\n  disk: {size: 1G}\n"),
        FailureKind.BadInput, "'machine.disk' takes one value, not a mapping", "crust.yaml:2:9, machine.disk", "write disk: SIZE");

    [Test]
    public void A_list_with_a_mapping_in_it() => ErrorAssert.Says(
        _sample.Fail("formats:\n- img\n- vmdk: yes\n"),
        FailureKind.BadInput, "An entry of the list isn't a single value", "crust.yaml:3:3, formats[1]", "write one value an entry");

    [Test]
    public void A_version_of_another_Crust() => ErrorAssert.Says(
        _sample.Fail("version: 2\n"),
        FailureKind.BadInput, "'2' isn't a version of the spec that this Crust reads", "crust.yaml:1:10, version",
        "write version: 1, or use the Crust that the spec was written for");

    [Test]
    public void A_disk_of_bananas_wherever_it_is_given()
    {
        const string What = "'12bananas' isn't a size";
        const string Remedy = "write a whole number with K, M, G or T (powers of 1024), such as 100G, 4096M or 20GiB, or plain bytes";

        ErrorAssert.Says(_sample.Fail("machine:\n  disk: 12bananas\n"), FailureKind.BadInput, What, "crust.yaml:2:9, machine.disk", Remedy);
        ErrorAssert.Says(_sample.Fail(null, [("DISK_SIZE", "12bananas")]), FailureKind.BadInput, What, "environment variable DISK_SIZE", Remedy);
        ErrorAssert.Says(_sample.Fail(null, options: [("machine.disk", ["12bananas"])]), FailureKind.BadInput, What, "option --disk-size", Remedy);
    }

    [TestCase("machine.disk", "1M", "is less than 64.0 MiB", "write 64M or more")]
    [TestCase("machine.disk", "100T", "is more than 64.0 TiB", "write 64T or less")]
    [TestCase("machine.disk", "100000001", "isn't a multiple of 512 bytes", "write 99999744 or 100000256")]
    [TestCase("machine.memory", "64M", "is less than 128.0 MiB", "write 128M or more")]
    [TestCase("machine.cpus", "0", "isn't a whole number from 1 to 255", "write a number from 1 to 255")]
    [TestCase("machine.cpus", "256", "isn't a whole number from 1 to 255", "write a number from 1 to 255")]
    [TestCase("machine.cpus", "two", "isn't a whole number from 1 to 255", "write a number from 1 to 255")]
    [TestCase("machine.deadline", "60", "isn't a duration between 1s and 720h", "write hours, minutes and seconds with their units, such as 60m, 90s, 2h or 1h30m")]
    [TestCase("machine.deadline", "0s", "isn't a duration between 1s and 720h", "write hours, minutes and seconds with their units, such as 60m, 90s, 2h or 1h30m")]
    [TestCase("machine.firmware", "ufei", "isn't bios, uefi or uefi-secure", "did you mean 'uefi'?")]
    [TestCase("machine.arch", "riscv", "isn't amd64 or arm64", "write amd64 or arm64")]
    [TestCase("machine.onReboot", "1", "isn't fail, finish or continue", "write fail, finish or continue")]
    [TestCase("iso.target", "largest", "says no disk", IsoTargets)]
    [TestCase("iso.target", "/dev/disk/by-id/x", "says no disk", IsoTargets)]
    [TestCase("iso.target", "size>=100GB", "says no disk", IsoTargets)]
    [TestCase("iso.target", "size>=99999999999T", "says no disk", IsoTargets)]
    [TestCase("iso.target", "serial:", "says no disk", IsoTargets)]
    [TestCase("installer.boot.keys", "<entre>", "can't be typed: <entre> is no key", BootKeys)]
    [TestCase("installer.boot.keys", "größe", "can't be typed: 'ö' is on no key of an American keyboard", BootKeys)]
    [TestCase("iso.after", "off", "isn't poweroff or reboot", "write poweroff or reboot")]
    [TestCase("verify.boot", "maybe", "is neither auto, true nor false", "write auto, true or false")]
    [TestCase("name", "../evil", "can't be an image's name", "use letters, digits, '.', '_', '+' and '-', beginning with a letter or digit, at most 100 of them")]
    [TestCase("seed.ssh.user", "Edge User", "can't be an account's name", "use lower-case letters, digits, '_' and '-', beginning with a letter or '_', at most 32 of them")]
    [TestCase("installer.iso", "ftp://example.org/x.iso", "isn't a URL that Crust can fetch", "write a path, or an http:// or https:// URL")]
    [TestCase("installer.iso", "http://", "isn't a URL that Crust can fetch", "write a path, or an http:// or https:// URL")]
    [TestCase("installer.sha256", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "has 63 hex digits, and a SHA-256 has 64", "copy the whole checksum, or name a SHA256SUMS file")]
    [TestCase("cache", "registry.example.com/edge/cache", "doesn't begin with oci://, and a cache is a repository in a registry", "write oci://registry/path, such as oci://registry.example.com/edge/cache, or none; for a repository of this name, oci://registry.example.com/edge/cache")]
    [TestCase("cache", "https://registry.example.com/edge", "doesn't begin with oci://, and a cache is a repository in a registry", "write oci://registry/path, such as oci://registry.example.com/edge/cache, or none")]
    [TestCase("cache", "oci://registry.example.com/edge/cache:1", "has a tag, and a cache is a whole repository", "write oci://registry.example.com/edge/cache")]
    [TestCase("formats", "vmkd", "isn't a format", "did you mean 'vmdk'?")]
    [TestCase("formats", "bananas", "isn't a format", "write img, qcow2, vmdk or all")]
    [TestCase("verify.expect", "a\nb", "holds a line break or another control character", "write it on one line")]
    public void A_wrong_value(string key, string value, string what, string remedy)
    {
        var error = _sample.Fail(null, options: [(key, [value])]);

        ErrorAssert.Says(error, FailureKind.BadInput, $"'{value}' {what}", error.Where, remedy);
        Assert.That(error.Where, Does.StartWith("option --"));
    }

    [Test]
    public void One_wrong_format_of_many_is_named_with_its_place() => ErrorAssert.Says(
        _sample.Fail("formats:\n- img\n- qcow\n"),
        FailureKind.BadInput, "'qcow' isn't a format", "crust.yaml:3:3, formats[1]", "did you mean 'qcow2'?");

    [Test]
    public void An_empty_list_of_formats() => ErrorAssert.Says(
        _sample.Fail("formats: []\n"),
        FailureKind.BadInput, "The list of formats is empty", "crust.yaml:1:10, formats", "name at least one of img, qcow2, vmdk or all");

    [Test]
    public void A_password_without_an_account() => ErrorAssert.Says(
        _sample.Fail(null, [("SSH_PASSWORD", "hunter2")]),
        FailureKind.BadInput, "A password is given without an account", "environment variable SSH_PASSWORD", "name the account in seed.ssh.user or SSH_USER");

    [Test]
    public void Public_keys_without_an_account() => ErrorAssert.Says(
        _sample.Fail("seed:\n  ssh:\n    authorizedKeys: [ssh-ed25519 AAAAC3==]\n"),
        FailureKind.BadInput, "Public keys are given without an account", "crust.yaml:3:21, seed.ssh.authorizedKeys", "name the account in seed.ssh.user or SSH_USER");

    [Test]
    public void A_password_of_two_lines_is_not_shown() => ErrorAssert.Says(
        _sample.Fail(null, [("SSH_USER", "edge"), ("SSH_PASSWORD", "hunter2\n")]),
        FailureKind.BadInput, "The secret holds a line break or another control character", "environment variable SSH_PASSWORD", "give it on one line");

    [TestCase("-----BEGIN OPENSSH PRIVATE KEY-----", "This is a private key")]
    [TestCase("my key", "This isn't a public key in OpenSSH's format")]
    public void What_is_not_a_public_key_is_not_shown(string key, string what) => ErrorAssert.Says(
        _sample.Fail($"seed:\n  ssh:\n    user: edge\n    authorizedKeys:\n    - '{key}'\n"),
        FailureKind.BadInput, what, "crust.yaml:5:7, seed.ssh.authorizedKeys[0]", "give the one line of the .pub file, such as: ssh-ed25519 AAAAC3… name");

    [Test]
    public void A_public_key_may_be_named_by_its_file_which_has_to_be_there() => ErrorAssert.Says(
        _sample.Fail("seed:\n  ssh:\n    user: edge\n    authorizedKeys:\n    - keys/me.pub\n"),
        FailureKind.BadInput, "The public key's file doesn't exist", "crust.yaml:5:7, seed.ssh.authorizedKeys[0], keys/me.pub", "check the path");

    [TestCase("seed:\n  kind: none\n  userData: a\n", "There is user-data, and no seed that would carry it (seed.kind is none)", "3:13, seed.userData", "leave out one of the two")]
    [TestCase("seed:\n  kind: ignition\n  userData: a\n  files: b\n", "There are seed.files, and no volume that would carry them (seed.kind is ignition)", "4:10, seed.files", "leave out one of the two")]
    [TestCase("seed:\n  kind: kickstart\n  userData: [a, b]\n", "There are 2 files in seed.userData, and seed.kind kickstart takes one", "3:13, seed.userData", "name the one file of kickstart in seed.userData")]
    [TestCase("seed:\n  kind: kickstart\n  userData: a\n  networkConfig: b\n", "A network-config is cloud-init's, and seed.kind kickstart isn't read by cloud-init", "4:18, seed.networkConfig", "say it in the installer's own file")]
    [TestCase("seed:\n  kind: none\n  fileSystem: vfat\n", "There is no seed volume that could be vfat (seed.kind is none)", "3:15, seed.fileSystem", "leave it out")]
    [TestCase("seed:\n  hostname: edge_1\n", "'edge_1' can't be a host's name", "2:13, seed.hostname", "use letters, digits and '-', and dots between its parts; 63 in a part at most")]
    [TestCase("seed:\n  palette: {tags: [site]}\n", "'site' isn't a tag", "2:20, seed.palette.tags[0]", "write NAME=VALUE, such as site=berlin")]
    [TestCase("seed:\n  palette: {tags: [a=1, a=2]}\n", "'a=2' is given a second time", "2:25, seed.palette.tags[1]", "keep one of the two")]
    [TestCase("seed:\n  files: ['../x=a']\n", "'../x=a' doesn't say which file goes where", "2:11, seed.files[0]", "write FILE, or PATH/THERE=FILE")]
    [TestCase("seed:\n  files: [a/x, b/x]\n", "Two files would both be 'x'", "2:10, seed.files", "give one of them another name: NAME=FILE")]
    [TestCase("tidy: [auto, logs]\n", "'auto' stands alone or not at all", "1:8, tidy[0]", "leave out the other words")]
    [TestCase("tidy: log\n", "'log' isn't something that can be tidied", "1:7, tidy", "did you mean 'logs'?")]
    public void What_is_wrong_with_a_seed_is_told_with_its_place(string yaml, string what, string where, string remedy) =>
        ErrorAssert.Says(_sample.Fail(yaml), FailureKind.BadInput, what, $"crust.yaml:{where}", remedy);

    [Test]
    public void A_secret_is_given_in_one_way() => ErrorAssert.Says(
        Assert.Throws<CrustException>(() => _sample.Read(null, [("SSH_USER", "edge"), ("SSH_PASSWORD", "a"), ("SSH_PASSWORD_FILE", _sample.Write("secret", "b"))]))!,
        FailureKind.BadInput, "The same is said twice, by seed.ssh.password and by seed.ssh.passwordFile", "environment variable SSH_PASSWORD; environment variable SSH_PASSWORD_FILE", "leave out one of the two");

    [TestCase("", "The secret's file is empty", "write the secret into it")]
    [TestCase("a\nb\n", "The secret holds a line break or another control character", "write it on one line")]
    public void A_secrets_file_that_holds_none_is_told_without_what_it_holds(string text, string what, string remedy) => ErrorAssert.Says(
        Assert.Throws<CrustException>(() => _sample.Read(null, [("EDGE_HOST_TOKEN_FILE", _sample.Write("secret", text))]))!,
        FailureKind.BadInput, what, $"environment variable EDGE_HOST_TOKEN_FILE, {_sample.Folder}/secret", remedy);
}
