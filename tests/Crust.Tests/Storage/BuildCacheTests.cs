using Crust.Storage;
using Serilog.Core;

namespace Crust.Tests.Storage;

[CancelAfter(60_000)]
public sealed class BuildCacheTests
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private string _root = null!;

    [SetUp]
    public void SetUp() => _root = Directory.CreateTempSubdirectory("crust-cache-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_root, recursive: true);

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private BuildCache Cache => new(_root, Logger.None);

    private string Kind => Path.Combine(_root, "disks");

    [Test]
    public async Task An_entry_is_filled_once_and_found_afterwards()
    {
        Assert.That(Cache.Find("disks", "k"), Is.Null);

        var first = await AddAsync("k", Fill);
        var second = await AddAsync("k", _ => throw new InvalidOperationException("it is there already"));

        Assert.That(first, Is.EqualTo(Path.Combine(Kind, "k")));
        Assert.That(second, Is.EqualTo(first));
        Assert.That(Cache.Find("disks", "k"), Is.EqualTo(first));
        Assert.That(File.ReadAllText(Path.Combine(first, "content")), Is.EqualTo("whole"));
    }

    [Test]
    public async Task What_comes_with_Crust_is_found_and_nothing_is_written_for_it()
    {
        var parts = Directory.CreateDirectory(Path.Combine(_root, "parts")).FullName;
        var provided = Directory.CreateDirectory(Path.Combine(parts, "disks", "k")).FullName;
        var cache = new BuildCache(Path.Combine(_root, "cache"), Logger.None) { Provided = parts };

        var found = await cache.GetOrAddAsync("disks", "k", _ => throw new InvalidOperationException("it is there already"), null, Cancellation);

        Assert.That((found, cache.Find("disks", "k"), cache.Find("disks", "other")), Is.EqualTo((provided, provided, (string?)null)));
        Assert.That(Directory.Exists(cache.Root), Is.False);
        var own = await cache.GetOrAddAsync("disks", "other", Fill, null, Cancellation);
        Assert.That(own, Is.EqualTo(Path.Combine(cache.Root, "disks", "other")), "what isn't provided is made as ever");
    }

    [Test]
    public async Task An_entry_is_filled_under_another_name_in_a_private_folder_of_its_own() => await AddAsync("k", folder =>
    {
        Assert.That(Path.GetDirectoryName(folder), Is.EqualTo(Kind));
        Assert.That(Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName), Is.EqualTo(new[] { ".alive" }), "the lock alone");
        Assert.That(File.GetUnixFileMode(folder), Is.EqualTo(Private));
        Assert.That(Cache.Find("disks", "k"), Is.Null);
        return Fill(folder);
    });

    [Test]
    public async Task A_failed_fill_leaves_nothing_and_is_tried_again()
    {
        var thrown = new CrustException(FailureKind.InputOutput, "It broke", "there", "mend it");

        var error = await Assert.ThrowsAsync<CrustException>(() => AddAsync("k", async folder =>
        {
            await Fill(folder);
            throw thrown;
        }));

        Assert.That(error, Is.SameAs(thrown));
        Assert.That(Directory.EnumerateDirectories(Kind), Is.Empty);
        Assert.That(await AddAsync("k", Fill), Does.Exist);
    }

    [Test]
    public async Task Two_builds_that_need_the_same_fill_it_once()
    {
        var (started, waited) = (new TaskCompletionSource(), new TaskCompletionSource());
        var first = Cache.GetOrAddAsync("disks", "k", async folder =>
        {
            started.SetResult();
            await waited.Task;
            await Fill(folder);
        }, _ => Assert.Fail("nobody is before it"), Cancellation);
        await started.Task;

        var second = Cache.GetOrAddAsync("disks", "k", _ => throw new InvalidOperationException("it is there already"), _ => waited.SetResult(), Cancellation);

        Assert.That(await second, Is.EqualTo(await first));
    }

    [Test]
    public async Task Who_waits_fills_the_entry_when_the_other_build_fails()
    {
        var (started, waited) = (new TaskCompletionSource(), new TaskCompletionSource());
        var first = AddAsync("k", async _ =>
        {
            started.SetResult();
            await waited.Task;
            throw new CrustException(FailureKind.GuestFailed, "It broke", "there", "mend it");
        });
        await started.Task;

        var second = Cache.GetOrAddAsync("disks", "k", Fill, _ => waited.SetResult(), Cancellation);

        Assert.That(Path.Combine(await second, "content"), Does.Exist);
        await Assert.ThrowsAsync<CrustException>(() => first);
    }

    [Test]
    public async Task Waiting_can_be_cancelled()
    {
        using var held = await FileLock.AcquireAsync(LockOf("k"), null, Cancellation);
        using var cancelling = new CancellationTokenSource();

        Assert.That(async () => await Cache.GetOrAddAsync("disks", "k", Fill, _ => cancelling.Cancel(), cancelling.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task What_a_killed_build_left_is_removed([Values("k", "other")] string key)
    {
        var left = await LeftByKilledBuildAsync(key);

        await AddAsync("k", Fill);

        Assert.That(left, Does.Not.Exist);
    }

    [TestCase("k", true)]
    [TestCase("other", true)]
    [TestCase("busy", false)]
    public async Task What_a_killed_build_of_an_earlier_version_left_under_its_entrys_name_is_removed_unless_that_ones_lock_is_held(string key, bool isRemoved)
    {
        (await FileLock.AcquireAsync(LockOf("other"), null, Cancellation)).Dispose();
        using var busy = await FileLock.AcquireAsync(LockOf("busy"), null, Cancellation);
        // Such a file makes today's drafts look like those of an entry without a name.
        (await FileLock.AcquireAsync(LockOf(""), null, Cancellation)).Dispose();
        var left = Directory.CreateDirectory(Path.Combine(Kind, $"{key}.unfinished-0123456789ab")).FullName;
        await Fill(left);

        await AddAsync("k", Fill);

        Assert.That(Directory.Exists(left), Is.EqualTo(!isRemoved));
    }

    [Test]
    public async Task What_another_build_is_filling_stays()
    {
        using var other = await Cache.OpenAsync("disks", "other", null, Cancellation);
        await Fill(other.Draft);

        await AddAsync("k", Fill);

        Assert.That(File.ReadAllText(Path.Combine(other.Keep(), "content")), Is.EqualTo("whole"));
    }

    [Test]
    public async Task An_entry_holds_what_was_filled_and_nothing_else() =>
        Assert.That(Directory.EnumerateFileSystemEntries(await AddAsync("k", Fill)).Select(Path.GetFileName), Is.EqualTo(new[] { "content" }));

    [Test]
    public async Task An_entry_that_is_removed_is_gone_and_one_that_is_not_there_may_be_removed()
    {
        await AddAsync("k", Fill);

        Cache.Remove("disks", "k");
        Cache.Remove("disks", "k");

        Assert.That(Cache.Find("disks", "k"), Is.Null);
    }

    [Test]
    public async Task A_cache_that_cannot_be_written_is_told_with_its_remedy([Values("", "disks")] string folder)
    {
        // Root may write everywhere, but not below a file.
        var file = Path.Combine(_root, "cache", folder).TrimEnd('/');
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file, "", Cancellation);

        var error = (await Assert.ThrowsAsync<CrustException>(() =>
            new BuildCache(Path.Combine(_root, "cache"), Logger.None).GetOrAddAsync("disks", "k", Fill, null, Cancellation)))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.HostLacks));
        Assert.That(error.What, Does.StartWith("The cache can't be written: "));
        Assert.That(error.Where, Is.EqualTo(Path.Combine(_root, "cache", "disks")));
        Assert.That(error.Remedy, Is.EqualTo("make it writable, or set CRUST_CACHE to a folder that is"));
    }

    private Task<string> AddAsync(string key, Func<string, Task> fill) => Cache.GetOrAddAsync("disks", key, fill, null, Cancellation);

    private static Task Fill(string folder) => File.WriteAllTextAsync(Path.Combine(folder, "content"), "whole");

    private string LockOf(string key)
    {
        Directory.CreateDirectory(Kind);
        return Path.Combine(Kind, key + ".lock");
    }

    // Copied away and back: what is left when nobody cleans up.
    private async Task<string> LeftByKilledBuildAsync(string key)
    {
        var (left, aside) = ("", Path.Combine(_root, "aside"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => AddAsync(key, folder =>
        {
            left = folder;
            Directory.Move(folder, aside);
            throw new InvalidOperationException();
        }));
        Directory.Move(aside, left);
        return left;
    }
}
