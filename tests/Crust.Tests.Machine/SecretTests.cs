using System.Collections.Concurrent;
using System.Text;
using Crust.Sanitizing;
using Crust.Tests.Machine.Guests;
using Crust.Tools;

namespace Crust.Tests.Machine;

/// <summary>Where secrets must not be: in anything that a build leaves or prints, and in any command line while it runs.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SecretTests : IDisposable
{
    private const string Password = "S3cret-password-of-edge";
    private const string Token = "S3cret-token-of-palette";
    private const string Proxy = "S3cret-login:of-proxy";
    private const string Wifi = "S3cret-word-of-wifi";
    private const string UserHash = "$6$S3cretsalt$S3cretHashOfTheUsersOwnFile";

    private static readonly string[] Secrets = [Password, Token, Proxy, Wifi, UserHash];

    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [TestCase(StubGuest.Installs, 0)]
    [TestCase(StubGuest.PanicsOnSerial, 4)]
    public async Task No_secret_is_in_a_command_line_while_a_build_runs_nor_in_what_it_leaves(StubGuest guest, int exitCode)
    {
        var iso = await StubGuests.IsoAsync(guest, _crust.Folder, Cancellation);
        var inputs = Directory.CreateDirectory(Path.Combine(_crust.Folder, "inputs")).FullName;
        var token = Path.Combine(inputs, "token");
        var userData = Path.Combine(inputs, "user-data.yaml");
        await File.WriteAllTextAsync(token, Token + "\n", Cancellation);
        await File.WriteAllTextAsync(userData, $"#cloud-config\nusers:\n- name: bob\n  passwd: {UserHash}\nwifi: ${{WIFI}}\n", Cancellation);
        _crust.Environment["SSH_USER"] = "edge";
        _crust.Environment["SSH_PASSWORD"] = Password;
        _crust.Environment["EDGE_HTTP_PROXY"] = $"http://{Proxy}@proxy:3128";
        _crust.Environment["WIFI"] = Wifi;

        var (result, seen) = await WatchedAsync("build", "--iso", iso, "--user-data", userData, "--seed-substitute", "--edge-host-token-file", token, "--disk-size", "64M", "--memory", "128M", "--format", "img,qcow2");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.ExitCode, Is.EqualTo(exitCode), result.Error);
            Assert.That(seen.Keys, Has.Some.Contains("qemu-system").And.Some.Contains("xorriso"), "the programs that were watched");
            Assert.That(Secrets.SelectMany(secret => Holding(seen.Keys, secret)), Is.Empty, "command lines");
            Assert.That(Secrets.SelectMany(secret => Holding(seen.Where(process => Holding([process.Value], secret).Any()).Select(process => process.Key), "")), Is.Empty, "environments");
            Assert.That(Secrets.Where(secret => (result.Output + result.Error).Contains(secret, StringComparison.Ordinal)), Is.Empty, "what it printed");
            Assert.That(FilesWithSecrets(inputs), Is.Empty, "what it left");
        }
    }

    [TestCase("nocloud", "#cloud-config\nusers: [{name: bob, passwd: HASH}]\n", "--seed-file-system", "vfat")]
    [TestCase("kickstart", "text\nrootpw --iscrypted HASH\n", "--seed-file-system", "vfat")]
    [TestCase("ignition", "{\"ignition\":{\"version\":\"3.4.0\"},\"passwd\":{\"users\":[{\"name\":\"core\",\"passwordHash\":\"HASH\"}]},\"storage\":{\"files\":[]}}")]
    [TestCase("embedded", "#cloud-config\nusers: [{name: bob, passwd: HASH}]\n", "--seed-profile", "kairos")]
    public async Task No_secret_is_in_a_command_line_nor_left_whatever_carries_the_seed(string kind, string document, params string[] options)
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _crust.Folder, Cancellation);
        var inputs = Directory.CreateDirectory(Path.Combine(_crust.Folder, "inputs")).FullName;
        var file = Path.Combine(inputs, "document");
        await File.WriteAllTextAsync(file, document.Replace("HASH", UserHash, StringComparison.Ordinal), Cancellation);
        _crust.Environment["SSH_USER"] = "edge";
        _crust.Environment["SSH_PASSWORD"] = Password;

        var (result, seen) = await WatchedAsync(["build", "--iso", iso, "--seed-kind", kind, "--user-data", file, .. kind == "ignition" ? [] : new[] { "--seed-file", $"rides/along={file}" }, .. options, "--disk-size", "64M", "--memory", "128M"]);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.ExitCode, Is.Zero, result.Error);
            Assert.That(seen.Keys, Has.Some.Contains("qemu-system"), "the programs that were watched");
            Assert.That(Secrets.SelectMany(secret => Holding(seen.Keys, secret)), Is.Empty, "command lines");
            Assert.That(Secrets.Where(secret => (result.Output + result.Error).Contains(secret, StringComparison.Ordinal)), Is.Empty, "what it printed");
            Assert.That(FilesWithSecrets(inputs), Is.Empty, "what it left");
        }
    }

    [Test]
    public async Task What_a_guest_prints_of_its_seed_is_masked_before_it_reaches_the_log()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.PanicsOnSerial, _crust.Folder, Cancellation);
        _crust.Environment["SSH_USER"] = "edge";
        _crust.Environment["SSH_PASSWORD"] = "1.234890";

        var result = await _crust.RunAsync(Cancellation, "build", "--iso", iso, "--disk-size", "64M", "--memory", "128M");

        var serial = await File.ReadAllTextAsync(Directory.GetFiles(_crust.Images, "*.serial.log").Single(), Cancellation);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
            Assert.That(serial, Does.Contain(Redactor.Mask).And.Not.Contain("1.234890"));
            Assert.That(result.Error, Does.Not.Contain("1.234890"));
        }
    }

    [Test]
    public async Task Nothing_that_its_user_runs_reads_a_builds_secrets_from_its_memory_and_the_machine_gets_none()
    {
        const string user = "54321";
        using var crust = new CrustProcess { Before = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"] };
        var iso = await StubGuests.IsoAsync(StubGuest.Hangs, crust.Folder, Cancellation);
        // The user may not be able to enter the folder of the checkout: it may be root's home.
        await Host.RunAsync("cp", ["-a", AppContext.BaseDirectory, Path.Combine(crust.Folder, "program")], Cancellation);
        crust.Program = Path.Combine(crust.Folder, "program", "Crust.Cli");
        // Whoever makes the cache owns it.
        Directory.CreateDirectory(crust.Cache);
        await Host.RunAsync("chown", ["-R", $"{user}:{user}", crust.Folder], Cancellation);
        crust.Environment["SSH_USER"] = "edge";
        crust.Environment["SSH_PASSWORD"] = Password;
        crust.Environment["GITHUB_TOKEN"] = Token;
        crust.Environment["https_proxy"] = $"http://{Proxy}@proxy:3128";
        await using var running = crust.Start("build", "--iso", iso, "--disk-size", "64M", "--memory", "128M", "--accel", "tcg");

        var qemu = await running.FindQemuAsync(() => true, Cancellation);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Secrets.Where(secret => Read($"/proc/{qemu}/environ").Contains(secret, StringComparison.Ordinal)), Is.Empty, "the machine's environment");
            Assert.That(Read($"/proc/{qemu}/environ"), Does.Contain("LC_ALL=C.UTF-8").And.Contain("PATH="));
            Assert.That(Read($"/proc/{running.Id}/environ"), Does.Contain(Password), "which root may always read");
            foreach (var secret in new[] { "environ", "mem" })
            {
                var told = await Host.Tools.RunAsync(ToolCommand.Of("setpriv", "--reuid", user, "--clear-groups", "--regid", user, "head", "-c1", $"/proc/{running.Id}/{secret}") with { SuccessCodes = [1] }, Cancellation);
                Assert.That(told.Error, Does.Contain("Permission denied"), secret);
            }

            Assert.That(File.ReadAllText($"/proc/{qemu}/limits"), Does.Match(@"Max core file size\s+0\s+0\s"), "no core dump");
            Assert.That(Directory.EnumerateFiles(crust.Temporary, "*-*"), Is.Empty, "the runtime's diagnostic ports");
        }
    }

    private async Task<(CrustResult Result, ConcurrentDictionary<string, string> Seen)> WatchedAsync(params string[] arguments)
    {
        var calls = await RecordCallsAsync();
        await using var running = _crust.Start(arguments);
        var seen = new ConcurrentDictionary<string, string>();
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var watch = Task.Run(() => WatchAsync(seen, watching.Token), CancellationToken.None);
        var result = await running.WaitAsync(Cancellation);
        await watching.CancelAsync();
        await watch;
        foreach (var call in (await File.ReadAllTextAsync(calls, Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var (line, environment) = call.Split('\t', 2) is [var first, var second] ? (first, second) : (call, "");
            seen.TryAdd(line, environment);
        }

        return (result, seen);
    }

    // Some programs are gone before anybody who looks now and then has seen them: each that Crust starts writes down its own command line and environment first.
    private async Task<string> RecordCallsAsync()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_crust.Folder, "inputs", "programs")).FullName;
        var calls = Path.Combine(folder, "calls");
        await File.WriteAllTextAsync(calls, "", Cancellation);
        foreach (var program in new[] { "qemu-system-x86_64", "qemu-img", "xorriso", "mformat", "mmd", "mcopy" })
        {
            var real = new[] { "/usr/local/bin", "/usr/bin" }.Select(bin => Path.Combine(bin, program)).First(File.Exists);
            var script = Path.Combine(folder, program);
            await File.WriteAllTextAsync(script, $"#!/bin/sh\nexec 9>>'{calls}'\n{{ tr '\\000\\n\\t' '   ' </proc/$$/cmdline; printf '\\t'; tr '\\000\\n\\t' '   ' </proc/$$/environ; echo; }} | cat >&9\nexec 9>&-\nexec {real} \"$@\"\n", Cancellation);
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        }

        _crust.Environment["PATH"] = $"{folder}:{Environment.GetEnvironmentVariable("PATH")}";
        return calls;
    }

    private static IEnumerable<string> Holding(IEnumerable<string> texts, string secret) => texts.Where(text => text.Contains(secret, StringComparison.Ordinal));

    // Command lines with their environments, of all processes of the host: also those that are started by others on the build's behalf. This one's own environment has the secrets.
    // A process on its way to another program (exec) has no command line for a moment, and its environment may be either one's: only what is the same before and after belongs together.
    private static async Task WatchAsync(ConcurrentDictionary<string, string> seen, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            foreach (var folder in Directory.EnumerateDirectories("/proc").Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0])))
            {
                var line = Read($"{folder}/cmdline");
                // The program as it is shipped, and the copy that another test of these starts at the same time.
                var isProgram = line.StartsWith(CrustProcess.BuiltProgram, StringComparison.Ordinal) || line.Contains("Crust.Cli", StringComparison.Ordinal) || line.StartsWith("env ", StringComparison.Ordinal);
                var environment = isProgram || folder == $"/proc/{Environment.ProcessId}" ? "" : Read($"{folder}/environ");
                if (line.Length > 0 && Read($"{folder}/cmdline") == line)
                {
                    seen[$"{folder} {line}"] = environment;
                }
            }

            await Task.Delay(5, CancellationToken.None);
        }
    }

    private static string Read(string file)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes(file)).Replace('\0', ' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private IEnumerable<string> FilesWithSecrets(string inputs) => Directory.EnumerateFiles(_crust.Folder, "*", SearchOption.AllDirectories)
        .Where(file => !file.StartsWith(inputs, StringComparison.Ordinal))
        .Where(file => File.ReadAllBytes(file) is var bytes && Secrets.Any(secret => bytes.AsSpan().IndexOf(Encoding.UTF8.GetBytes(secret)) >= 0));
}
