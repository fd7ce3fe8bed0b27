using System.Globalization;
using System.Runtime.CompilerServices;
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

    // So many builds end before a finalizer could close what its owner forgot.
    private const int WithoutFinalizers = 10;

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

        // Before the finalizers are held up, which costs memory by itself.
        var now = Holdings.Now();
        var unclosed = -Holdings.CountHandles();
        using (FinalizersHeldUp.Begin(Cancellation))
        {
            for (var i = 0; i < WithoutFinalizers; i++)
            {
                await BuildAsync(iso, builds + i);
                Clear();
            }

            unclosed += Holdings.CountHandles();
        }

        TestContext.Out.WriteLine($"after {WarmUp} builds {warm}\nafter {builds} builds {now}\nhandles not closed by {WithoutFinalizers} builds: {unclosed}");

        // What each build keeps one of adds up to twice that, at least.
        var few = Math.Min(20, (builds - WarmUp) / 2);
        Assert.That(unclosed, Is.LessThan(WithoutFinalizers / 2), "file handles that nobody closed");
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

    /// <summary>Keeps the runtime's only finalizer thread busy: a garbage collection may happen, but closes nothing.</summary>
    private sealed class FinalizersHeldUp : IDisposable
    {
        private readonly ManualResetEventSlim _started = new();
        private readonly ManualResetEventSlim _end = new();

        public static FinalizersHeldUp Begin(CancellationToken cancellation)
        {
            var held = new FinalizersHeldUp();
            held.Leave();
            GC.Collect();
            held._started.Wait(cancellation);
            return held;
        }

        public void Dispose()
        {
            _end.Set();
            GC.WaitForPendingFinalizers();
            _started.Dispose();
            _end.Dispose();
        }

        // In a method of its own, so that no local variable keeps the object alive.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private void Leave() => GC.KeepAlive(new Forgotten(this));

        private sealed class Forgotten(FinalizersHeldUp held)
        {
            ~Forgotten()
            {
                held._started.Set();
                held._end.Wait();
            }
        }
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
