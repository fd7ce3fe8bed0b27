using System.Diagnostics;
using System.Text.Json;
using Crust.Tests.Disks;

namespace Crust.Tests.Verification;

/// <summary>`crust verify` as a program, with a QEMU that plays a script and OpenSSH's own server behind the port that it forwards.</summary>
[CancelAfter(60_000)]
public sealed class VerifyCommandTests
{
    private SshServer _server = null!;
    private FakeTools _fakes = null!;
    private SampleDisk _disk = null!;

    private string Image => _disk.FileFor("edge.img");

    [SetUp]
    public async Task MakeImage()
    {
        _server = SshServer.Start();
        _fakes = new FakeTools();
        _disk = new SampleDisk(1 << 20);
        _fakes.Add("qemu-system-x86_64", _server.QemuScript, "expect quit", "reply quit {}", "exit 0");
        await File.WriteAllTextAsync(_fakes.FileFor("crust.yaml"), "version: 1\nmachine: { accelerator: tcg, network: host }\n");
        File.Copy(_disk.Path, Image);
    }

    [TearDown]
    public void RemoveImage()
    {
        _server.Dispose();
        _fakes.Dispose();
        _disk.Dispose();
    }

    [Test]
    public async Task An_image_that_comes_up_and_fails_a_check_is_said_to_be_up_and_the_command_fails()
    {
        var (code, output, error) = await RunAsync("--check", "true", "--check", "exit 3");

        Assert.That((code, output), Is.EqualTo(((int)FailureKind.GuestFailed, $"{Image}: up, but a check failed\n")), error);
        Assert.That(error, Does.Contain($"verify     {Image} is up, but a check failed").And.Contain("crust: the image edge.img came up, and the check 'exit 3' (2 of 2) exited with 3\n"));
    }

    [Test]
    public async Task The_JSON_says_up_too_with_the_check_as_the_error()
    {
        var (code, output, error) = await RunAsync("--json", "--check", "exit 3");

        Assert.That(code, Is.EqualTo((int)FailureKind.GuestFailed), error);
        var image = JsonDocument.Parse(output).RootElement.EnumerateArray().Single();
        Assert.That((image.GetProperty("up").GetBoolean(), image.GetProperty("error").GetString()), Is.EqualTo((true, "the image edge.img came up, and the check 'exit 3' exited with 3")));
    }

    /// <summary>What is made from a base has no seed, and so no account that one could make.</summary>
    [Test]
    public async Task A_key_logs_in_to_what_was_made_from_a_base()
    {
        await File.AppendAllTextAsync(_fakes.FileFor("crust.yaml"), "base: { image: base.qcow2 }\n");

        var (code, output, error) = await RunAsync("--check", "true");

        Assert.That((code, output), Is.EqualTo((0, $"{Image}: up\n")), error);
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] checks)
    {
        string[] arguments = ["verify", Image, "--ssh-user", "edge", "--ssh-key", _server.KeyFile, .. checks];
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "Crust.Cli"), arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _fakes.Folder };
        start.Environment["PATH"] = $"{_fakes.Bin}:{Environment.GetEnvironmentVariable("PATH")}";
        start.Environment["CRUST_CACHE"] = _fakes.FileFor("cache");
        start.Environment["XDG_RUNTIME_DIR"] = Directory.CreateDirectory(_fakes.FileFor("run")).FullName;
        using var crust = Process.Start(start)!;
        var cancellation = TestContext.CurrentContext.CancellationToken;
        var (output, error) = (crust.StandardOutput.ReadToEndAsync(cancellation), crust.StandardError.ReadToEndAsync(cancellation));
        await crust.WaitForExitAsync(cancellation);
        return (crust.ExitCode, await output, await error);
    }
}
