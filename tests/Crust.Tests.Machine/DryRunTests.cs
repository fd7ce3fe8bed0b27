using System.Text.Json;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine;

/// <summary>What users see before anything is built.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class DryRunTests : IDisposable
{
    private const string Token = "S3cret-token";

    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [Test]
    public async Task A_dry_run_says_what_a_build_would_do_and_does_nothing()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);

        var before = await DryRunAsync(iso);
        var left = _crust.ImageFiles.ToList();
        var built = await _crust.RunAsync(Cancellation, [.. Build(iso), "--quiet"]);
        var after = await DryRunAsync(iso);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(left, Is.Empty);
            Assert.That(built.ExitCode, Is.Zero, built.Error);
            Assert.That((before.GetProperty("installs").ValueKind, Names(before)), Is.EqualTo((JsonValueKind.Null, "img,qcow2")), "nobody knows of a cache before the ISO's checksum is known");
            Assert.That((after.GetProperty("installs").GetBoolean(), Names(after)), Is.EqualTo((false, "")));
            Assert.That(after.GetProperty("buildKey").GetString(), Does.Match("^[0-9a-f]{64}$"));
        }
    }

    [TestCase("seed")]
    [TestCase("build", "--dry-run")]
    public async Task What_the_installer_will_be_told_is_shown_without_secrets_unless_they_are_asked_for(params string[] command)
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);
        _crust.Environment["ISO_URL"] = iso;
        _crust.Environment["PALETTE_ENDPOINT"] = "api.example.org";
        _crust.Environment["EDGE_HOST_TOKEN"] = Token;

        var hidden = await _crust.RunAsync(Cancellation, command);
        var shown = await _crust.RunAsync(Cancellation, [.. command, "--reveal"]);

        using (Assert.EnterMultipleScope())
        {
            Assert.That((hidden.ExitCode, shown.ExitCode), Is.EqualTo((0, 0)), hidden.Error);
            Assert.That(hidden.Output, Does.Contain("    paletteEndpoint: \"api.example.org\" # environment variable PALETTE_ENDPOINT\n").And.Not.Contain(Token));
            Assert.That(shown.Output, Does.Contain($"    edgeHostToken: \"{Token}\" # environment variable EDGE_HOST_TOKEN\n"));
        }
    }

    [Test]
    public async Task What_would_end_a_build_ends_its_dry_run()
    {
        await File.WriteAllTextAsync(Path.Combine(_crust.Folder, "user-data.yaml"), "#cloud-config\ninstall: {devcie: /dev/vda}\n", Cancellation);

        var result = await _crust.RunAsync(Cancellation, "seed", "--user-data", "user-data.yaml");

        Assert.That((result.ExitCode, result.Error), Is.EqualTo((2, result.Error)));
        Assert.That(result.Error, Does.Contain("user-data.yaml:2:11").And.Contain("device"));
    }

    [Test]
    public async Task The_proof_that_is_wanted_is_shown_with_its_checks_and_a_key_that_is_not_there_is_told_before_anything_is_done()
    {
        // Nothing is built: the spec alone says what is proven.
        using var crust = new CrustProcess { CaresForDisks = true };
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, crust.Folder, Cancellation);
        var spec = Path.Combine(crust.Folder, "crust.yaml");
        var key = Path.Combine(crust.Folder, "id");
        await File.WriteAllTextAsync(spec, $"installer: {{ iso: {iso} }}\nmachine: {{ disk: 64M, memory: 128M }}\nverify: {{ ssh: {{ user: edge, key: id }}, checks: [ systemctl is-active k3s, 'curl -u admin:{Token} localhost' ] }}\n", Cancellation);

        var without = await Task.WhenAll(new[] { "build", "build --dry-run", "doctor" }.Select(command => crust.RunAsync(Cancellation, [.. command.Split(' '), spec])));
        await Host.RunAsync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key], Cancellation);
        var shown = await crust.RunAsync(Cancellation, "build", "--dry-run", spec);
        var doctor = await crust.RunAsync(Cancellation, "doctor", spec);

        Assert.That(without.Select(run => run.ExitCode), Is.All.EqualTo(2), without[0].Error);
        Assert.That(without.Select(run => run.Error), Is.All.Contains($"crust: The private key's file doesn't exist\n  where: {spec}:3:35, verify.ssh.key, {key}"));
        Assert.That(shown.Output, Does.Contain("to boot    img on virtio: an SSH log-in as edge by key, 2 checks within 15m\n           check: systemctl is-active k3s\n").And.Not.Contain(Token));
        Assert.That(doctor.Output, Does.Contain("One image is booted, and has to show an SSH log-in as edge by key, 2 checks within 15m; the others are compared with it"));
    }

    private static string[] Build(string iso) => ["build", "--iso", iso, "--format", "img,qcow2", "--disk-size", "64M", "--memory", "128M"];

    private static string Names(JsonElement plan) => string.Join(',', plan.GetProperty("toWrite").EnumerateArray().Select(name => name.GetString()));

    private async Task<JsonElement> DryRunAsync(string iso)
    {
        var result = await _crust.RunAsync(Cancellation, [.. Build(iso), "--dry-run", "--json"]);
        Assert.That(result.ExitCode, Is.Zero, result.Error);
        return JsonDocument.Parse(result.Output).RootElement;
    }
}
