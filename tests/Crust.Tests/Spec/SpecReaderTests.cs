using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Tests.Spec;

public sealed class SpecReaderTests
{
    private SpecSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SpecSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCase(null, null, "file.example.com/cache")]
    [TestCase("oci://variable.example.com/cache", null, "variable.example.com/cache")]
    [TestCase("oci://variable.example.com/cache", "oci://localhost/cache", "localhost/cache")]
    [TestCase("none", null, null)]
    [TestCase("oci://variable.example.com/cache", "none", null)]
    public void A_cache_that_machines_share_is_named_by_option_variable_or_file(string? variable, string? option, string? repository) => Assert.That(
        _sample.Read("cache: oci://file.example.com/cache\n", variable is null ? [] : [("CACHE", variable)], option is null ? [] : [("cache", [option])]).Cache,
        Is.EqualTo(repository));

    [Test]
    public void Without_any_input_all_is_default()
    {
        var result = _sample.Read(null);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(result with { Formats = [] }, Is.EqualTo(new BuildSpec { Formats = [] }));
            Assert.That(result.Formats, Is.EqualTo(new[] { "img" }));
            Assert.That(result.WhereIs("machine.disk"), Is.EqualTo("machine.disk (default)"));
        }
    }

    [Test]
    public void Every_key_is_read_from_a_file()
    {
        var spec = _sample.Read("""
            version: 1
            name: edge
            installer:
              iso: iso/vendor.iso
              sha256: AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
              allowUnverified: true
            machine:
              arch: arm64
              firmware: uefi
              cpus: 8
              memory: 8G
              disk: 20GiB
              accelerator: tcg
              deadline: 1h30m
              onReboot: finish
            seed:
              userData: seeds/user-data.yaml
              networkConfig: seeds/network.yaml
              palette:
                endpoint: api.example.org
                registrationUrl: https://register.example.org
                edgeHostToken: token
              ssh:
                user: edge
                password: hunter2
                authorizedKeys:
                  - ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtleQ== me@home
            formats: [vmdk, img]
            iso:
              target: serial:S3Z*
              overwrite: true
              after: reboot
            verify:
              boot: false
              expect: "ready>"
              ssh: true
              deadline: 5m
            """);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(spec.Name, Is.EqualTo("edge"));
            Assert.That(spec.Installer, Is.EqualTo(new InstallerSpec
            {
                Iso = Path.Combine(_sample.Folder, "iso/vendor.iso"),
                Sha256 = new string('a', 64),
                AllowUnverified = true,
            }));
            Assert.That(spec.Machine, Is.EqualTo(new MachineSpec
            {
                Arch = Arch.Arm64,
                Firmware = Firmware.Uefi,
                Cpus = 8,
                Memory = 8L << 30,
                Disk = 20L << 30,
                Accelerator = Accelerator.Tcg,
                Deadline = TimeSpan.FromMinutes(90),
                OnReboot = OnReboot.Finish,
            }));
            Assert.That(spec.Seed.UserData, Is.EqualTo(new[] { Path.Combine(_sample.Folder, "seeds/user-data.yaml") }));
            Assert.That(spec.Seed.NetworkConfig, Is.EqualTo(Path.Combine(_sample.Folder, "seeds/network.yaml")));
            Assert.That(spec.Seed.Palette, Is.EqualTo(new PaletteSpec
            {
                Endpoint = "api.example.org",
                RegistrationUrl = "https://register.example.org",
                EdgeHostToken = new Secret("token"),
            }));
            Assert.That(spec.Seed.Ssh.User, Is.EqualTo("edge"));
            Assert.That(spec.Seed.Ssh.Password, Is.EqualTo(new Secret("hunter2")));
            Assert.That(spec.Seed.Ssh.AuthorizedKeys, Is.EqualTo(new[] { "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtleQ== me@home" }));
            Assert.That(spec.Formats, Is.EqualTo(new[] { "vmdk", "img" }));
            Assert.That(spec.Iso, Is.EqualTo(new IsoSpec { Target = "serial:S3Z*", Overwrite = true, After = AfterFlash.Reboot }));
            Assert.That(spec.Verify, Is.EqualTo(new VerifySpec { Boot = VerifyBoot.False, Expect = "ready>", Ssh = SshProof.Banner, Deadline = TimeSpan.FromMinutes(5) }));
        }
    }

    [Test]
    public void Boot_keys_are_a_list_of_texts_and_say_after_what()
    {
        var installer = _sample.Read("installer:\n  boot: { keys: [\"<wait2s>\", \"e<down><end> quiet<f10>\"], after: GRUB }\n").Installer;

        Assert.That(installer.BootKeys, Is.EqualTo(new[] { "<wait2s>", "e<down><end> quiet<f10>" }));
        Assert.That(installer.BootKeysAfter, Is.EqualTo("GRUB"));
    }

    [Test]
    public void Hardware_is_chosen_by_the_names_that_the_field_has_for_it()
    {
        var machine = _sample.Read("machine: { firmware: uefi-secure, diskBus: nvme, extraDisks: [10G, 20G], network: none }\n").Machine;

        Assert.That((machine.Firmware, machine.DiskBus, machine.Network), Is.EqualTo((Firmware.UefiSecure, DiskBus.Nvme, MachineNetwork.None)));
        Assert.That(machine.ExtraDisks, Is.EqualTo(new[] { 10L << 30, 20L << 30 }));
    }

    [Test]
    public void An_option_stands_over_the_environment_and_that_over_the_file()
    {
        const string Yaml = "machine:\n  disk: 10G\n";
        (string, string)[] variables = [("DISK_SIZE", "20G")];
        (string, string[])[] options = [("machine.disk", ["30G"])];

        using (Assert.EnterMultipleScope())
        {
            Assert.That(_sample.Read(Yaml).Machine.Disk, Is.EqualTo(10L << 30));
            Assert.That(_sample.Read(Yaml, variables).Machine.Disk, Is.EqualTo(20L << 30));
            Assert.That(_sample.Read(Yaml, variables, options).Machine.Disk, Is.EqualTo(30L << 30));
            Assert.That(_sample.Read(Yaml).WhereIs("machine.disk"), Is.EqualTo("crust.yaml:2:9, machine.disk"));
            Assert.That(_sample.Read(Yaml, variables).WhereIs("machine.disk"), Is.EqualTo("environment variable DISK_SIZE"));
            Assert.That(_sample.Read(Yaml, variables, options).WhereIs("machine.disk"), Is.EqualTo("option --disk-size"));
        }
    }

    [Test]
    public void Every_variable_and_option_of_the_table_is_read()
    {
        const string SeedKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtleQ== me@home";
        var secret = _sample.Write("secret", $"{new string('s', 32)}\n");
        foreach (var key in SpecKeys.For(SpecSample.Formats))
        {
            var text = key.Placeholder switch
            {
                _ when key.Path is "installer.build" => _sample.Write("installer.yaml", "base: { oci: layout }\n"),
                "SIZE" => key.Path == "base.seedPartition" ? "32M" : "256M",
                "DURATION" => "7m",
                "NUMBER" => "7",
                "true|false" => "true",
                "SHA256|FILE|URL" => "https://example.org/SHA256SUMS",
                "FORMAT" => "vmdk",
                "DISK" => "ask",
                "gpt" => "gpt",
                "STEP" => "logs",
                "NAME=VALUE" => "site=berlin",
                "FILE|fd:N" => secret,
                "KEY" => SeedKey,
                "CIDR" => "10.1.0.0/16",
                var choices when choices.Contains('|') && char.IsLower(choices[0]) => key.Path == "seed.fileSystem" ? "iso9660" : choices.Split('|')[^1],
                "SECRET" => new string('s', 32),
                _ => "some",
            };
            (string, string)[] account = key.Path.StartsWith("seed.ssh.", StringComparison.Ordinal) && key.Path != "seed.ssh.user" || key.Path.StartsWith("verify.", StringComparison.Ordinal) ? [("SSH_USER", "edge")]
                : key.Path.StartsWith("sign.passphrase", StringComparison.Ordinal) ? [("SIGN_GPG_KEY", "edge")]
                : key.Path.StartsWith("base.", StringComparison.Ordinal) && key.Path is not ("base.image" or "base.rootfs" or "base.oci" or "base.layout") ? [("BASE_IMAGE", "edge.img")] : [];
            if (key.Variable is not null)
                Assert.That(_sample.Read(null, [.. account, (key.Variable, text)]).WhereIs(key.Path), Is.EqualTo($"environment variable {key.Variable}"));
            (string, string[])[] kernel = key.Path is "base.layout" ? [("base.rootfs", ["edge.tar"])] : key.Path is "installer.boot.initrd" or "installer.boot.append" ? [("installer.boot.kernel", ["/vmlinuz"])] : key.Path is "verify.checks" ? [("verify.ssh", ["login"])]
                : key.Path is "base.key" or "base.signature" or "base.sha256Signature"
                    ? [.. new[] { "base.key", "base.signature", "base.sha256" }.Where(other => other != key.Path).Select(other => (other, new[] { "https://example.org/some" }))] : [];
            if (key.Option is not null)
                Assert.That(_sample.Read(null, account, [.. kernel, (key.Path, [text])]).WhereIs(key.Path), Is.EqualTo($"option {key.Option}"));
        }
    }

    [Test]
    public void No_secret_has_an_option() =>
        Assert.That(SpecKeys.For(SpecSample.Formats).Where(key => key.IsSecret).Select(key => $"{key}: {key.Option}"),
            Is.EqualTo(new[] { "seed.palette.edgeHostToken: ", "seed.palette.httpProxy: ", "seed.palette.httpsProxy: ", "seed.ssh.password: ", "seed.ssh.passwordHash: ", "sign.passphrase: ", "publish.keySecret: " }));

    [Test]
    public void A_secret_comes_from_a_file_without_the_line_break_at_its_end()
    {
        var ssh = _sample.Read(null, [("SSH_USER", "edge"), ("SSH_PASSWORD_FILE", _sample.Write("secret", "hunter2\n"))]).Seed.Ssh;

        Assert.That(ssh.Password!.Reveal(), Is.EqualTo("hunter2"));
    }

    [Test]
    public void One_key_signs_and_a_passphrase_has_a_key_that_takes_one()
    {
        var gpg = _sample.Read(null, [("SIGN_GPG_KEY", "edge"), ("SIGN_PASSPHRASE", "hunter2")]).Sign;
        var two = Assert.Throws<CrustException>(() => _sample.Read(null, [("SIGN_GPG_KEY", "edge"), ("SIGN_KEY", "id")]))!;
        var none = Assert.Throws<CrustException>(() => _sample.Read(null, [("SIGN_PASSPHRASE", "hunter2")]))!;
        var ssh = Assert.Throws<CrustException>(() => _sample.Read(null, [("SIGN_PASSPHRASE", "hunter2"), ("SIGN_KEY", "id")]))!;

        Assert.That((gpg.GpgKey, gpg.Passphrase!.Reveal(), gpg.IsWanted, new SignSpec().IsWanted), Is.EqualTo(("edge", "hunter2", true, false)));
        Assert.That((two.What, two.Where), Is.EqualTo(("Two keys would sign, an OpenSSH key and a GPG key", "environment variable SIGN_KEY; environment variable SIGN_GPG_KEY")));
        Assert.That((none.What, none.Where), Is.EqualTo(("There is a passphrase, and no key that it is for", "environment variable SIGN_PASSPHRASE")));
        Assert.That(ssh.What, Is.EqualTo("ssh-keygen takes no passphrase from a program"));
    }

    [Test]
    public void A_secret_comes_from_a_file_descriptor()
    {
        using var file = File.OpenHandle(_sample.Write("secret", "tok3n\n"));

        Assert.That(_sample.Read(null, options: [("seed.palette.edgeHostTokenFile", [$"fd:{file.DangerousGetHandle()}"])]).Seed.Palette.EdgeHostToken!.Reveal(), Is.EqualTo("tok3n"));
    }

    [Test]
    public void What_is_tidied_is_told_by_names_or_by_one_word()
    {
        TidyStep[]? Read(string text) => _sample.Read($"tidy: {text}\n").Tidy?.ToArray();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Read("auto"), Is.Null);
            Assert.That(Read("none"), Is.Empty);
            Assert.That(Read("all"), Is.EqualTo(Enum.GetValues<TidyStep>()));
            Assert.That(Read("[logs, machine-id, logs]"), Is.EqualTo(new[] { TidyStep.MachineId, TidyStep.Logs }));
            Assert.That(Read("'logs, seed'"), Is.EqualTo(new[] { TidyStep.Logs, TidyStep.Seed }));
        }
    }

    [Test]
    public void An_empty_value_counts_as_none()
    {
        var spec = _sample.Read(
            "name:\nmachine:\n  disk: 10G\n  cpus: ~\ninstaller:\n  iso: ''\nseed:\n",
            [("DISK_SIZE", ""), ("ISO_URL", "")],
            [("machine.disk", [""]), ("formats", [""])]);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(spec.Machine, Is.EqualTo(new MachineSpec { Disk = 10L << 30 }));
            Assert.That(spec.Name, Is.Null);
            Assert.That(spec.Installer, Is.EqualTo(new InstallerSpec()));
        }
    }

    [Test]
    public void A_value_that_another_hides_is_not_looked_at() =>
        Assert.That(_sample.Read(null, [("DISK_SIZE", "12bananas")], [("machine.disk", ["1G"])]).Machine.Disk, Is.EqualTo(1L << 30));

    [Test]
    public void A_path_in_a_file_starts_at_the_file_and_any_other_at_the_current_folder()
    {
        _sample.Write("specs/site.yaml", "installer:\n  iso: ../iso/a.iso\nseed:\n  userData: b.yaml\n");

        var spec = _sample.ReadFile("specs/site.yaml", [("ISO_SHA256", "sums/SHA256SUMS")], [("seed.networkConfig", ["net.yaml"])]);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(spec.Installer.Iso, Is.EqualTo(Path.Combine(_sample.Folder, "iso/a.iso")));
            Assert.That(spec.Seed.UserData, Is.EqualTo(new[] { Path.Combine(_sample.Folder, "specs/b.yaml") }));
            Assert.That(spec.Installer.Sha256, Is.EqualTo(Path.Combine(_sample.Folder, "sums/SHA256SUMS")));
            Assert.That(spec.Seed.NetworkConfig, Is.EqualTo(Path.Combine(_sample.Folder, "net.yaml")));
        }
    }

    [Test]
    public void A_URL_is_left_as_it_is() =>
        Assert.That(_sample.Read(null, [("ISO_URL", "https://example.org/a%20b.iso?x=1")]).Installer.Iso, Is.EqualTo("https://example.org/a%20b.iso?x=1"));

    [Test]
    public void Formats_are_read_from_lists_and_commas_each_once_and_all_means_all()
    {
        IEnumerable<string> FromOption(params string[] values) => _sample.Read(null, options: [("formats", values)]).Formats;

        using (Assert.EnterMultipleScope())
        {
            Assert.That(FromOption("vmdk,img", "vmdk"), Is.EqualTo(new[] { "vmdk", "img" }));
            Assert.That(FromOption("vmdk", "all"), Is.EqualTo(new[] { "vmdk", "img", "qcow2" }));
            Assert.That(_sample.Read("formats: qcow2, img\n").Formats, Is.EqualTo(new[] { "qcow2", "img" }));
            Assert.That(_sample.Read("formats:\n- all\n").Formats, Is.EqualTo(SpecSample.Formats.Select(format => format.Name)));
        }
    }

    [Test]
    public void Of_an_option_given_twice_the_last_counts() =>
        Assert.That(_sample.Read(null, options: [("machine.cpus", ["4", "6"])]).Machine.Cpus, Is.EqualTo(6));

    [Test]
    public void A_file_of_comments_says_nothing() =>
        Assert.That(_sample.Read("# nothing yet\n").Origins, Is.EqualTo(ImmutableDictionary<string, string>.Empty));

    [Test]
    public void A_byte_order_mark_is_ignored() => Assert.That(_sample.Read("\uFEFFname: edge\n").Name, Is.EqualTo("edge"));

    [Test]
    public void A_spec_prints_without_its_secrets()
    {
        var spec = _sample.Read(null, [("SSH_USER", "edge"), ("SSH_PASSWORD", "hunter2"), ("EDGE_HOST_TOKEN", "tok3n")]);

        Assert.That(spec.ToString(), Does.Not.Contain("hunter2").And.Not.Contain("tok3n"));
    }

    [Test]
    public void An_option_for_a_key_that_has_none_is_a_mistake_in_the_caller() =>
        Assert.That(() => _sample.Read(null, options: [("seed.ssh.password", ["x"])]), Throws.ArgumentException);
}
