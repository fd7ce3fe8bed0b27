using Crust.Tests.Machine.Guests;
using Crust.Tests.Spec;
using Crust.Tools;

namespace Crust.Tests.Machine.Reports;

/// <summary>The reports that real builds leave.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class ReportTests : IDisposable
{
    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [Test]
    public async Task A_build_leaves_a_report_and_one_from_the_cache_leaves_as_full_a_one()
    {
        string[] continues = ["--on-reboot", "continue"];
        var result = await BuildAsync(StubGuest.ResetsOnceThenInstalls, ["--format", "img", "--verify", .. continues]);

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(result.Output, Is.EqualTo("images/edge.img\n"));
        Assert.That(result.Error, Does.EndWith("crust: report: images/edge.report.html\n"));
        var first = await ReadAsync();
        Assert.That(first, Does.Contain("✓ Built").And.Contain("came up</span> under BIOS").And.Contain("stub: installer started").And.Contain("data:image/png"));
        Assert.That(first, Does.Contain("<dd>2</dd>").And.Match(@"<dt>QEMU</dt><dd>\d+\.\d+\.\d+").And.Contain("-nodefaults \\\n"));

        await AssertValidAsync(_crust.Image("edge.manifest.json"));

        await BuildAsync(StubGuest.ResetsOnceThenInstalls, ["--format", "qcow2", .. continues]);
        var second = await ReadAsync();
        Assert.That(second, Does.Contain("From the disk that").And.Contain("edge.qcow2").And.Contain("stub: installer started").And.Contain("data:image/png"));

        var again = await BuildAsync(StubGuest.ResetsOnceThenInstalls, ["--format", "qcow2", .. continues]);
        Assert.That(again.Error, Does.Contain("up to date").And.Not.Contain("report:"));
        Assert.That(await ReadAsync(), Is.EqualTo(second), "a build that did nothing leaves the report as it is");
    }

    [Test]
    public async Task A_failed_install_is_told_with_its_cause_first_and_its_last_screen()
    {
        var result = await BuildAsync(StubGuest.PanicsOnScreen, "--stall", "3s");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("  report: images/edge.report.html\n"));
        var report = await ReadAsync();
        Assert.That(report, Does.Contain("✗ Failed").And.Contain("a kernel panic is on its screen").And.Contain("alt=\"The last screen of the machine that failed\""));
        Assert.That(report, Does.Contain("class=\"plot writes\"").And.Contain("No image was written").And.Contain("QEMU’s command line"));
    }

    [Test]
    public async Task An_image_that_does_not_come_up_is_told_with_what_it_said_itself()
    {
        var result = await BuildAsync(StubGuest.InstallsADeadSystem, "--format", "qcow2", "--verify", "--verify-deadline", "3s");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        var report = await ReadAsync();
        Assert.That(report, Does.Contain("failed in its stage verify").And.Contain("edge.qcow2.serial.log").And.Contain("stub: booting from the disk"));
        Assert.That(report, Does.Contain("alt=\"The last screen of the machine that failed\""));
    }

    [Test]
    public async Task A_secret_is_in_no_report_and_a_spec_that_is_refused_has_none()
    {
        _crust.Environment["SSH_USER"] = "edge";
        _crust.Environment["SSH_PASSWORD"] = "installer started";

        await BuildAsync(StubGuest.Hangs, "--stall", "2s");

        Assert.That(await ReadAsync(), Does.Not.Contain("installer started").And.Contain("stub: •••"));
        Assert.That(await File.ReadAllTextAsync(_crust.Image("edge.serial.log"), Cancellation), Does.Contain("stub: •••").And.Not.Contain("installer started"));
        File.Delete(_crust.Image("edge.report.html"));
        Assert.That((await BuildAsync(StubGuest.Hangs, "--stall", "soon")).ExitCode, Is.EqualTo(2));
        Assert.That(_crust.ImageFiles, Has.No.Member("edge.report.html"));
    }

    // By a validator that isn't of .NET; that it does validate shows by what it says of another document.
    private async Task AssertValidAsync(string manifest)
    {
        const string Validate = "import json, sys, jsonschema; jsonschema.Draft202012Validator(json.load(open(sys.argv[1]))).validate(json.load(open(sys.argv[2])))";
        var schema = RepositoryFile.PathOf("docs/manifest.schema.json");
        await Host.RunAsync("python3", ["-c", Validate, schema, manifest], Cancellation);

        var broken = Path.Combine(_crust.Folder, "broken.json");
        await File.WriteAllTextAsync(broken, (await File.ReadAllTextAsync(manifest, Cancellation)).Replace("\"bytesWritten\"", "\"bytes\""), Cancellation);
        await Assert.ThrowsAsync<ToolFailedException>(() => Host.RunAsync("python3", ["-c", Validate, schema, broken], Cancellation));
    }

    private Task<string> ReadAsync() => File.ReadAllTextAsync(_crust.Image("edge.report.html"), Cancellation);

    private async Task<CrustResult> BuildAsync(StubGuest guest, params string[] arguments)
    {
        var iso = await StubGuests.IsoAsync(guest, _crust.Folder, Cancellation);
        return await _crust.RunAsync(Cancellation, ["build", "--iso", iso, "--name", "edge", "--memory", "256M", "--disk-size", "64M", .. arguments]);
    }
}
