using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Storage;

[CancelAfter(60_000)]
public sealed class FileLockTests
{
    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-lock-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string File => Path.Combine(_folder, "x.lock");

    [Test]
    public async Task A_free_lock_is_taken_without_a_wait()
    {
        using var held = await FileLock.AcquireAsync(File, _ => Assert.Fail("nobody has it"), Cancellation);

        Assert.That(FileLock.TryAcquire(File), Is.Null);
    }

    [Test]
    public async Task A_wait_is_told_and_ends_when_the_lock_is_given_back()
    {
        var held = await FileLock.AcquireAsync(File, null, Cancellation);
        var waits = new List<string>();

        using var next = await FileLock.AcquireAsync(File, path =>
        {
            waits.Add(path);
            held.Dispose();
        }, Cancellation);

        Assert.That(waits, Is.EqualTo(new[] { File }));
        Assert.That(FileLock.TryAcquire(File), Is.Null);
    }

    [Test]
    public async Task A_lock_of_another_process_ends_with_it()
    {
        var tools = new ToolBox(HostEnvironment.Read().SearchPath, Logger.None);
        var locked = new TaskCompletionSource();
        await using (var other = tools.Start(ToolCommand.Of("flock", File, "sh", "-c", "echo locked; exec sleep 1000") with
        {
            WatchOutput = true,
            OnLine = _ => locked.TrySetResult(),
        }))
        {
            await locked.Task.WaitAsync(Cancellation);
            Assert.That(FileLock.TryAcquire(File), Is.Null);
        }

        using var held = await FileLock.AcquireAsync(File, null, Cancellation);
        Assert.That(held, Is.Not.Null);
    }

    [Test]
    public async Task A_wait_can_be_cancelled()
    {
        using var held = await FileLock.AcquireAsync(File, null, Cancellation);
        using var cancelling = new CancellationTokenSource();

        Assert.That(async () => await FileLock.AcquireAsync(File, _ => cancelling.Cancel(), cancelling.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [TestCase("none/x.lock", TestName = "A_lock_that_cannot_be_made_is_told(its folder is missing)")]
    [TestCase("", TestName = "A_lock_that_cannot_be_made_is_told(it is a folder)")]
    // The system refuses to open a running program to write, even to root.
    [TestCase("/proc/self/exe", TestName = "A_lock_that_cannot_be_made_is_told(it exists and doesn't open)")]
    public async Task A_lock_that_cannot_be_made_is_told(string path)
    {
        var error = (await Assert.ThrowsAsync<CrustException>(() =>
            FileLock.AcquireAsync(Path.Combine(_folder, path), _ => Assert.Fail("there is nobody to wait for"), Cancellation)))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.HostLacks));
        Assert.That(error.What, Does.StartWith("The lock can't be taken: "));
        Assert.That(error.Where, Is.EqualTo(Path.Combine(_folder, path)));
        Assert.That(FileLock.TryAcquire(Path.Combine(_folder, path)), Is.Null);
    }
}
