using Crust.Attestation;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Cli;
using Crust.Tools;
using Serilog;

namespace Crust.Tests.Attestation;

/// <summary>Signatures, made and checked by the real ssh-keygen and gpg.</summary>
[CancelAfter(120_000)]
[NonParallelizable] // It sets variables of the whole process.
public sealed class SignatureTests
{
    private const string Passphrase = "a passphrase that nobody guesses";

    private static string _keys = null!;
    private static string _home = null!;
    private AttestedImages _images = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private static string SshKey => Path.Combine(_keys, "key");

    private static string Allowed => Path.Combine(_keys, "allowed");

    private static string GpgKeys => Path.Combine(_keys, "keys.asc");

    private static BuildSpec BySsh => new() { Sign = new SignSpec { Key = SshKey } };

    private static BuildSpec ByGpg => new() { Sign = new SignSpec { GpgKey = "edge@example.org" } };

    [OneTimeSetUp]
    public async Task MakeKeys()
    {
        _keys = Directory.CreateTempSubdirectory("crust-keys-").FullName;
        _home = Directory.CreateTempSubdirectory("crust-gpg-").FullName;
        // Nobody else in these tests calls gpg.
        Environment.SetEnvironmentVariable("GNUPGHOME", _home);
        await RunAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "builder", "-f", SshKey);
        await RunAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", Passphrase, "-f", Path.Combine(_keys, "locked"));
        await RunAsync("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(_keys, "stranger"));
        await AllowAsync("allowed", "key", "");
        await GpgKeyAsync("edge@example.org", "");
        await GpgKeyAsync("locked@example.org", Passphrase);
        await RunAsync("gpg", "--batch", "--armor", "--output", GpgKeys, "--export", "edge@example.org");
        await RunAsync("gpg", "--batch", "--output", Path.Combine(_keys, "keys.gpg"), "--export", "edge@example.org");
        await RunAsync("gpg", "--batch", "--armor", "--output", Path.Combine(_keys, "other.asc"), "--export", "locked@example.org");
        File.Copy(Path.Combine(_home, "pubring.kbx"), Path.Combine(_keys, "keyring"));
    }

    [OneTimeTearDown]
    public async Task RemoveKeys()
    {
        await RunAsync("gpgconf", "--kill", "gpg-agent");
        Environment.SetEnvironmentVariable("GNUPGHOME", null);
        Directory.Delete(_keys, recursive: true);
        Directory.Delete(_home, recursive: true);
    }

    [SetUp]
    public void SetUp() => _images = new AttestedImages();

    [TearDown]
    public void TearDown() => _images.Dispose();

    [Test]
    public async Task Images_whose_provenance_an_allowed_OpenSSH_key_has_signed_are_told_with_the_signer()
    {
        var manifest = await _images.PlaceAsync(BySsh, Cancellation);
        var fingerprint = (await RunAsync("ssh-keygen", "-l", "-f", SshKey)).Split(' ')[1];

        Assert.That((manifest.Signature!.File, manifest.Signature.Key), Is.EqualTo(("edge.provenance.json.sig", fingerprint)));
        foreach (var (image, digest) in new[] { (_images.Img, "bmap_sha256:"), (_images.Vmdk, "sha256:") })
        {
            var good = await _images.Check.CheckAsync(image, Allowed, Cancellation);
            Assert.That((good.By, good.Provenance), Is.EqualTo((new SignedBy("builder@example.org", fingerprint), _images.Provenance)));
            Assert.That(good.Digest, Does.StartWith(digest));
        }
    }

    [Test]
    public async Task Images_whose_provenance_a_GPG_key_has_signed_are_told_with_the_signer([Values("keys.asc", "keys.gpg", "keyring")] string keys)
    {
        var manifest = await _images.PlaceAsync(ByGpg, Cancellation);
        var good = await _images.Check.CheckAsync(_images.Vmdk, Path.Combine(_keys, keys), Cancellation);

        Assert.That(manifest.Signature!.File, Is.EqualTo("edge.provenance.json.asc"));
        Assert.That((good.By.Signer, good.By.Key), Is.EqualTo(("edge@example.org", manifest.Signature.Key)));
        Assert.That(await RunAsync("gpg", "--batch", "--with-colons", "--list-keys", "edge@example.org"), Does.Contain(manifest.Signature.Key));
    }

    [Test]
    public async Task The_command_line_prints_who_has_signed_and_boots_nothing()
    {
        await _images.PlaceAsync(BySsh, Cancellation);
        var key = (await RunAsync("ssh-keygen", "-l", "-f", SshKey)).Split(' ')[1];

        var good = await CommandLineRun.OfAsync("verify", "--signature", Allowed, _images.Img, _images.Vmdk);
        await File.AppendAllTextAsync(_images.Vmdk, "!", Cancellation);
        var bad = await CommandLineRun.OfAsync("verify", "--signature", Allowed, _images.Vmdk, _images.Img);
        var json = await CommandLineRun.OfAsync("verify", "--json", "--signature", Allowed, _images.Vmdk);

        Assert.That(good, Is.EqualTo(new CommandLineRun(0, $"{_images.Img}: signed by builder@example.org, {key}\n{_images.Vmdk}: signed by builder@example.org, {key}\n", "")));
        Assert.That((bad.Code, bad.Output), Is.EqualTo((2, $"{_images.Vmdk}: not as it was signed\n{_images.Img}: signed by builder@example.org, {key}\n")));
        Assert.That(bad.Error, Does.StartWith("crust: The image isn't the one that the provenance is about: its SHA-256 is ").And.Contain($"where: {_images.Vmdk}").And.Contain("to do: don't use it"));
        Assert.That(json.Output, Does.Contain("\"signed\":false").And.Contain("\"error\":\"The image isn"));
    }

    [Test]
    public async Task A_changed_image_is_told([Values("data", "hole", "longer", "map")] string how)
    {
        await _images.PlaceAsync(BySsh, Cancellation);
        if (how == "map")
        {
            await File.AppendAllTextAsync(_images.Img + ".bmap", "\n", Cancellation);
        }
        else
        {
            await using var file = File.OpenWrite(_images.Img);
            file.Position = how switch { "data" => (5 << 20) + 7, "hole" => 33 << 20, _ => file.Length };
            file.WriteByte(99);
        }

        var expected = how switch
        {
            "data" => "the 4096 bytes from 5242880 on are others",
            "hole" => "there is data from 34603008 on, where it had none",
            "longer" => "it has 67108865 bytes, and its block map says 67108864",
            _ => "its block map is another than the provenance says",
        };
        await RefusedAsync(_images.Img, Allowed, $"The image isn't the one that the provenance is about: {expected}", _images.Img);
    }

    [Test]
    public async Task A_changed_provenance_is_told([Values] bool gpg)
    {
        await _images.PlaceAsync(gpg ? ByGpg : BySsh, Cancellation);
        await File.WriteAllTextAsync(_images.Provenance, (await File.ReadAllTextAsync(_images.Provenance, Cancellation)).Replace("\"bios\"", "\"uefi\""), Cancellation);

        await RefusedAsync(_images.Vmdk, gpg ? GpgKeys : Allowed,
            gpg ? "The provenance's signature is wrong: it was changed after it was signed" : "The provenance's signature is wrong: it was changed after it was signed, or the key may not sign it",
            _images.Provenance + (gpg ? ".asc" : ".sig"));
    }

    [Test]
    public async Task A_signature_that_is_none_is_told([Values] bool gpg)
    {
        await _images.PlaceAsync(gpg ? ByGpg : BySsh, Cancellation);
        var signature = _images.Provenance + (gpg ? ".asc" : ".sig");
        await File.WriteAllTextAsync(signature, "garbage\n", Cancellation);

        await RefusedAsync(_images.Vmdk, gpg ? GpgKeys : Allowed, gpg ? "The provenance's signature can't be checked" : "The provenance is signed by a key that isn't among the allowed signers, or isn't any more", signature);
    }

    [Test]
    public async Task A_signer_whom_nobody_trusts_is_told([Values] bool gpg)
    {
        await _images.PlaceAsync(gpg ? ByGpg : BySsh, Cancellation);
        await AllowAsync("strangers", "stranger", "");

        await RefusedAsync(_images.Vmdk, Path.Combine(_keys, gpg ? "other.asc" : "strangers"),
            gpg ? "The provenance is signed by a key that isn't among the keys given" : "The provenance is signed by a key that isn't among the allowed signers, or isn't any more",
            _images.Provenance + (gpg ? ".asc" : ".sig"));
    }

    [Test]
    public async Task A_key_that_has_expired_or_may_not_sign_this_is_told()
    {
        await _images.PlaceAsync(BySsh, Cancellation);
        await AllowAsync("expired", "key", "valid-before=\"20200101\" ");
        await AllowAsync("elsewhere", "key", "namespaces=\"git\" ");

        await RefusedAsync(_images.Vmdk, Path.Combine(_keys, "expired"), "The provenance is signed by a key that isn't among the allowed signers, or isn't any more", _images.Provenance + ".sig");
        await RefusedAsync(_images.Vmdk, Path.Combine(_keys, "elsewhere"), "The provenance's signature is wrong: it was changed after it was signed, or the key may not sign it", _images.Provenance + ".sig");
    }

    [Test]
    public async Task A_GPG_key_that_has_expired_is_told()
    {
        await _images.PlaceAsync(new BuildSpec(), Cancellation);
        const string Then = "20200101T000000!";
        await RunAsync("gpg", "--batch", "--faked-system-time", Then, "--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key", "old@example.org", "ed25519", "sign", "1d");
        await RunAsync("gpg", "--batch", "--faked-system-time", Then, "--local-user", "old@example.org", "--armor", "--detach-sign", _images.Provenance);
        await RunAsync("gpg", "--batch", "--yes", "--armor", "--output", Path.Combine(_keys, "old.asc"), "--export", "old@example.org");

        await RefusedAsync(_images.Vmdk, Path.Combine(_keys, "old.asc"), "The key that signed the provenance has expired", _images.Provenance + ".asc");
    }

    [Test]
    public async Task A_signature_that_was_made_for_another_purpose_is_told()
    {
        await _images.PlaceAsync(new BuildSpec(), Cancellation);
        await RunAsync("ssh-keygen", "-q", "-Y", "sign", "-f", SshKey, "-n", "file", _images.Provenance);

        await RefusedAsync(_images.Vmdk, Allowed, "The provenance's signature is wrong: it was changed after it was signed, or the key may not sign it", _images.Provenance + ".sig");
    }

    [Test]
    public async Task What_is_missing_is_told()
    {
        await _images.PlaceAsync(BySsh, Cancellation);
        var elsewhere = Path.Combine(_images.Folder, "edge.vmdk");
        File.Copy(_images.Vmdk, elsewhere);

        await RefusedAsync(elsewhere, Allowed, "There is no provenance beside the image", Path.Combine(_images.Folder, "edge.provenance.json"));
        await RefusedAsync(_images.Shelf.ImagePath("gone.vmdk"), Allowed, "The image doesn't exist", _images.Shelf.ImagePath("gone.vmdk"));
        await RefusedAsync(_images.Vmdk, "no-keys", "The keys' file doesn't exist", "no-keys");
        await RefusedAsync(_images.Vmdk, GpgKeys, "The provenance is signed by an OpenSSH key, and the keys given are GPG's", _images.Provenance + ".asc");
        File.Delete(_images.Img + ".bmap");
        await RefusedAsync(_images.Img, Allowed, "There is no block map beside the image, by which it is checked", _images.Img + ".bmap");
        File.Delete(_images.Provenance + ".sig");
        await RefusedAsync(_images.Vmdk, Allowed, "The provenance isn't signed", _images.Provenance + ".sig");
    }

    [Test]
    public async Task An_image_under_anothers_name_is_told()
    {
        await _images.PlaceAsync(BySsh, Cancellation);
        File.Copy(_images.Vmdk, _images.Shelf.ImagePath("edge.qcow2"));

        await RefusedAsync(_images.Shelf.ImagePath("edge.qcow2"), Allowed, "The provenance isn't about an image called edge.qcow2", _images.Provenance);
    }

    [Test]
    public async Task A_document_that_somebody_has_signed_and_that_is_no_provenance_is_told()
    {
        await _images.PlaceAsync(new BuildSpec(), Cancellation);
        await File.WriteAllTextAsync(_images.Provenance, "{}", Cancellation);
        await RunAsync("ssh-keygen", "-q", "-Y", "sign", "-f", SshKey, "-n", Signer.Namespace, _images.Provenance);

        var error = (await Assert.ThrowsAsync<CrustException>(() => _images.Check.CheckAsync(_images.Vmdk, Allowed, Cancellation)))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, _images.Provenance)));
        Assert.That(error.What, Does.StartWith("The provenance can't be read: it isn't an in-toto statement"));
    }

    [Test]
    public async Task A_locked_OpenSSH_key_signs_only_if_the_agent_has_it()
    {
        var sign = new SignSpec { Key = Path.Combine(_keys, "locked") };
        var error = (await Assert.ThrowsAsync<CrustException>(() => _images.Signer.TryAsync(sign, Cancellation)))!;
        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, sign.Key)));
        Assert.That(error.What, Does.StartWith("The key can't sign: ").And.Contain("passphrase"));
        Assert.That(error.Remedy, Does.Contain("ssh-add"));

        var socket = Path.Combine(_keys, "agent");
        await using var agent = AttestedImages.Tools.Start(ToolCommand.Of("ssh-agent", "-D", "-a", socket));
        while (!File.Exists(socket))
        {
            Assert.That(agent.Ended.IsCompleted, Is.False);
            await Task.Delay(20, Cancellation);
        }

        // The agent is given a copy without its passphrase.
        var open = Path.Combine(_keys, "opened");
        File.Copy(sign.Key, open);
        File.SetUnixFileMode(open, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await RunAsync("ssh-keygen", "-q", "-p", "-P", Passphrase, "-N", "", "-f", open);
        Environment.SetEnvironmentVariable("SSH_AUTH_SOCK", socket);
        try
        {
            await RunAsync("ssh-add", "-q", open);
            var held = Path.Combine(_keys, "held.pub");
            File.Copy(sign.Key + ".pub", held);
            Assert.That(await _images.Signer.TryAsync(sign with { Key = held }, Cancellation), Does.StartWith("SHA256:"));
        }
        finally
        {
            Environment.SetEnvironmentVariable("SSH_AUTH_SOCK", null);
        }
    }

    [Test]
    public async Task A_locked_GPG_key_signs_with_its_passphrase_which_is_in_no_log()
    {
        var lines = new List<string>();
        using var log = new LoggerConfiguration().MinimumLevel.Verbose().WriteTo.Sink(new ListSink(lines)).CreateLogger();
        var signer = new Signer(new ToolBox(HostEnvironment.Read().SearchPath, log) { Environment = HostEnvironment.Read().Variables }, new Folders { Images = "", Cache = _images.Folder, Runtime = "", Builder = "" });
        var sign = new SignSpec { GpgKey = "locked@example.org" };

        var error = (await Assert.ThrowsAsync<CrustException>(() => signer.TryAsync(sign, Cancellation)))!;
        var wrong = (await Assert.ThrowsAsync<CrustException>(() => signer.TryAsync(sign with { Passphrase = new Secret(Passphrase + "?") }, Cancellation)))!;
        var key = await signer.TryAsync(sign with { Passphrase = new Secret(Passphrase) }, Cancellation);

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, "GPG key locked@example.org")));
        Assert.That(error.Remedy, Does.Contain("SIGN_PASSPHRASE"));
        Assert.That(wrong.What, Does.Contain("Bad passphrase"));
        Assert.That(key, Has.Length.EqualTo(40));
        Assert.That(lines, Is.Not.Empty.And.None.Contains(Passphrase));
    }

    [Test]
    public async Task A_key_that_is_none_is_told()
    {
        var file = Path.Combine(_keys, "no-key");
        await File.WriteAllTextAsync(file, "garbage\n", Cancellation);

        var ssh = (await Assert.ThrowsAsync<CrustException>(() => _images.Signer.TryAsync(new SignSpec { Key = file }, Cancellation)))!;
        var gpg = (await Assert.ThrowsAsync<CrustException>(() => _images.Signer.TryAsync(new SignSpec { GpgKey = "nobody@example.org" }, Cancellation)))!;

        Assert.That(ssh.What, Does.StartWith("The key can't sign: ").And.Contain("is not a public key file"));
        Assert.That(gpg.What, Does.StartWith("The key can't sign: ").And.Contain("No secret key"));
    }

    private async Task RefusedAsync(string image, string keys, string what, string where)
    {
        var error = (await Assert.ThrowsAsync<CrustException>(() => _images.Check.CheckAsync(image, keys, Cancellation)))!;
        Assert.That((error.Kind, error.What, error.Where), Is.EqualTo((FailureKind.BadInput, what, where)), error.Detail);
    }

    private static async Task AllowAsync(string file, string key, string options) =>
        await File.WriteAllTextAsync(Path.Combine(_keys, file), $"builder@example.org {options}{await File.ReadAllTextAsync(Path.Combine(_keys, key + ".pub"))}");

    private static Task<string> GpgKeyAsync(string address, string passphrase) =>
        RunAsync("gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", passphrase, "--quick-gen-key", address, "ed25519", "sign", "never");

    private static async Task<string> RunAsync(string program, params string[] arguments) =>
        (await AttestedImages.Tools.RunAsync(ToolCommand.Of(program, arguments) with { Inherits = ToolEnvironment.Signing }, CancellationToken.None)).Output;

    private sealed class ListSink(List<string> lines) : Serilog.Core.ILogEventSink
    {
        public void Emit(Serilog.Events.LogEvent logEvent) => lines.Add(logEvent.RenderMessage());
    }
}
