using System.Globalization;
using System.Runtime;
using Crust.Cli;
using Crust.Spec;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Faults;

/// <summary>
/// Many builds in a row, all in this one process: what a build forgets to give back adds up here, while a process for each
/// build would hide it. By itself, for what other tests hold would be counted too.
/// </summary>
[CancelAfter(300_000)]
[NonParallelizable]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SoakTests : FaultFixture
{
    // Until then, the runtime and the pools of its library have grown to what they need.
    private const int WarmUp = 20;

    // That many handles are looked at before a finalizer could close what its owner forgot.
    private const int WithoutCollection = 10;

    // Of the 20 MB that a build allocates, a multiple.
    private const long BuildMemory = 200 << 20;

    [TestCase(40)]
    [TestCase(100, Category = "Long")]
    public async Task Builds_in_a_row_leave_no_process_handle_thread_memory_or_file(int builds)
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, Crust.Folder, Cancellation);
        var warm = default(Holdings);
        for (var i = 0; i < builds; i++)
        {
            if (i == WarmUp)
            {
                warm = Holdings.Now();
            }

            await BuildAsync(iso, i);
            Clear();
        }

        // Before collections are forbidden, which costs memory by itself.
        var now = Holdings.Now();
        var unclosed = 0;
        var counted = 0;
        for (var i = 0; counted < WithoutCollection && i < 3 * WithoutCollection; i++)
        {
            // One region a build: the runtime leaves a region when it's used up, however much of it the build took.
            Assert.That(GC.TryStartNoGCRegion(BuildMemory), Is.True);
            var handles = Holdings.CountHandles();
            await BuildAsync(iso, builds + i);
            Clear();
            var left = Holdings.CountHandles() - handles;
            if (GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
            {
                GC.EndNoGCRegion();
                (unclosed, counted) = (unclosed + left, counted + 1);
            }
        }

        Assert.That(counted, Is.EqualTo(WithoutCollection), "builds during which nothing was collected");
        TestContext.Out.WriteLine($"after {WarmUp} builds {warm}\nafter {builds} builds {now}\nhandles not closed by {WithoutCollection} builds: {unclosed}");

        // What each build keeps one of adds up to twice that, at least.
        var few = Math.Min(20, (builds - WarmUp) / 2);
        Assert.That(unclosed, Is.LessThan(WithoutCollection / 2), "file handles that nobody closed");
        Assert.That(now.Handles - warm.Handles, Is.LessThan(few), "file handles");
        Assert.That(now.Threads - warm.Threads, Is.LessThan(few), "threads");
        Assert.That(now.ManagedBytes - warm.ManagedBytes, Is.LessThan(4 << 20), "managed memory");
        Assert.That(now.PrivateBytes - warm.PrivateBytes, Is.LessThan(80 << 20), "memory");
        Assert.That(Directory.EnumerateFiles(Crust.Cache, "*", SearchOption.AllDirectories).Count(), Is.LessThan(10), "files in the cache");
    }

    // So that the next build of the same boots its installer.
    private void Clear()
    {
        Directory.Delete(Crust.Images, recursive: true);
        Directory.Delete(Path.Combine(Crust.Cache, "disks"), recursive: true);
    }

    private async Task BuildAsync(string iso, int number)
    {
        var environment = HostEnvironment.From(HostEnvironment.Read().Variables.SetItem("CRUST_CACHE", Crust.Cache).SetItem("XDG_RUNTIME_DIR", Crust.Runtime));
        await using var services = new CrustServices(environment, Crust.Images, new NoObserver());
        var spec = new BuildSpec
        {
            Name = $"soak{number}",
            Installer = new InstallerSpec { Iso = iso },
            Machine = new MachineSpec { Disk = 64 << 20, Memory = 128 << 20, Accelerator = Accelerator.Tcg, Deadline = TimeSpan.FromMinutes(1) },
            Trim = false,
            Inspect = false,
            // A stub guest shows nothing, which is looked at for minutes.
            Verify = new VerifySpec { Boot = VerifyBoot.False },
        };
        var result = await services.Build.RunAsync(spec, Cancellation);
        Assert.That(result.UpToDate, Is.False, "the installer was booted");
    }

    private readonly record struct Holdings(int Handles, int Threads, long ManagedBytes, long PrivateBytes)
    {
        public static int CountHandles() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

        public static Holdings Now()
        {
            // Twice: what a finalizer lets go of is collected the next time.
            for (var i = 0; i < 2; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            var memory = GC.GetTotalMemory(forceFullCollection: true);
            var anonymous = File.ReadLines("/proc/self/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal)).Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1];
            return new(CountHandles(), Directory.GetDirectories("/proc/self/task").Length,
                memory, long.Parse(anonymous, CultureInfo.InvariantCulture) * 1024);
        }
    }
}
