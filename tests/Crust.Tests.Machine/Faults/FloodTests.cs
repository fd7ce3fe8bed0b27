using System.Globalization;
using System.Text.RegularExpressions;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Faults;

/// <summary>QEMU tells more than anybody could keep. A program plays QEMU's part: a real guest under emulation writes a megabyte a second.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class FloodTests : FaultFixture
{
    private const string Start = "connect\ngreet\nexpect qmp_capabilities\nreply qmp_capabilities {}\nexpect cont\nreply cont {}";
    private const string End = "serial Kernel panic - not syncing: after the flood\nexpect quit\nreply quit {}\nexit 0";
    private const int MiB = 1 << 20;

    // A build that installs a stub guest peaks at about 120 MiB; without limits, a flood takes a gigabyte and more.
    private const long MostMemory = 320L * MiB;

    [TestCase("flood serial 1073741824", TestName = "A_gigabyte_on_the_serial_port_is_read_to_its_end_with_bounded_memory_and_logs")]
    [TestCase("""flood 1000000 BLOCK_IO_ERROR {"device": "", "node-name": "drive1", "reason": "Input/output error", "operation": "read", "action": "report", "nospace": false}""",
        TestName = "A_million_events_are_read_to_their_end_with_bounded_memory_and_logs")]
    public async Task A_flood(string flood)
    {
        using var fakes = new FakeTools();
        fakes.Add("qemu-system-x86_64", Start, flood, End);
        Crust.Environment["PATH"] = $"{fakes.Bin}:{Environment.GetEnvironmentVariable("PATH")}";

        // The probe of KVM would need a QEMU that runs guests.
        await File.WriteAllTextAsync(Path.Combine(Crust.Folder, "crust.yaml"), "version: 1\nmachine:\n  accelerator: tcg\n", Cancellation);

        await using var running = await StartAsync(StubGuest.Hangs);
        var peak = WatchMemoryAsync(running.Id);
        var result = await running.WaitAsync(Cancellation);

        TestContext.Out.WriteLine($"peak: {await peak / MiB} MiB; logs: {string.Join(", ", Logs.Select(log => $"{log.Name} {log.Length / 1024} KiB"))}");
        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("ended in a kernel panic: Kernel panic - not syncing: after the flood"));
        Assert.That(await peak, Is.InRange(1, MostMemory));
        Assert.That(Logs.Select(log => log.Length), Is.All.LessThan(65L * MiB));
        Assert.That(Regex.Matches(await LogAsync("hangs.log"), "QMP event BLOCK_IO_ERROR [{]"), Has.Count.EqualTo(flood.Contains("BLOCK_IO_ERROR", StringComparison.Ordinal) ? 300 : 0));
    }

    private IEnumerable<FileInfo> Logs => new DirectoryInfo(Crust.Images).EnumerateFiles("*.log");

    // The kernel keeps the highest that it was (VmHWM in proc(5), in KiB), so looking now and then is enough.
    private static async Task<long> WatchMemoryAsync(int process)
    {
        for (var peak = 0L; ; await Task.Delay(50, Cancellation))
        {
            var line = await ReadPeakAsync(process);
            if (line is null)
            {
                return peak;
            }

            peak = long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) * 1024;
        }
    }

    private static async Task<string?> ReadPeakAsync(int process)
    {
        try
        {
            return (await File.ReadAllTextAsync($"/proc/{process}/status", Cancellation)).Split('\n').FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal))?.Replace('\t', ' ');
        }
        catch (IOException)
        {
            return null;
        }
    }
}
