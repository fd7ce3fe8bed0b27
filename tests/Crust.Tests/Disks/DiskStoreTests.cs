using System.Text.Json.Nodes;
using Crust.Disks;
using Crust.Storage;
using Crust.Tests.Inspection;
using Crust.Tests.Storage;
using Serilog.Core;

namespace Crust.Tests.Disks;

[CancelAfter(60_000)]
public sealed class DiskStoreTests
{
    private const long Size = 64 << 20;

    private static readonly string Key = new('a', 64);

    private static readonly InstallFacts Facts = new()
    {
        Accelerator = "tcg",
        Seconds = 61.5,
        QemuCpuSeconds = 60,
        CrustCpuSeconds = 0.5,
        BytesWritten = 1 << 20,
        Resets = 1,
        Finished = DateTimeOffset.UnixEpoch,
        CommandLine = "qemu-system-x86_64 -nodefaults",
    };

    private string _root = null!;
    private int _installs;

    [SetUp]
    public void SetUp() => (_root, _installs) = (Directory.CreateTempSubdirectory("crust-store-").FullName, 0);

    [TearDown]
    public void TearDown() => Directory.Delete(_root, recursive: true);

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Failed => Path.Combine(_root, "failed");

    [Test]
    public async Task An_installer_is_given_an_empty_sparse_disk_of_the_size_that_was_asked_for()
    {
        await GetAsync(path =>
        {
            Assert.That(new FileInfo(path).Length, Is.EqualTo(Size));
            Assert.That(AllocatedOf(path), Is.Zero);
            return InstallAsync(path);
        });

        Assert.That(_installs, Is.EqualTo(1));
    }

    [Test]
    public async Task The_packages_on_a_disk_are_kept_with_it_and_a_record_that_does_not_tell_of_them_says_so()
    {
        var inspection = EvidenceSample.Reference.With("dpkg", EvidenceSample.System, PackageDatabasesTests.Pack("Package: a\nVersion: 1\nArchitecture: all\n")).Read();
        var disk = await GetAsync(async path => (await InstallAsync(path)) with { Inspection = inspection });
        var record = Path.Combine(Path.GetDirectoryName(disk.Path)!, "disk.json");
        var again = await GetAsync(InstallAsync);

        Assert.That(again.Install.Inspection!.KnowsPackages, Is.True);
        Assert.That(again.Install.Inspection.Systems[0].Packages, Is.EqualTo(new[] { new PackageFacts("deb", "a", "1", "all") }));
        var json = JsonNode.Parse(await File.ReadAllTextAsync(record, Cancellation))!.AsObject();
        Assert.That(json.Remove("packages"), Is.True);
        await File.WriteAllTextAsync(record, json.ToJsonString(), Cancellation);
        Assert.That((await GetAsync(InstallAsync)).Install.Inspection!.KnowsPackages, Is.False);
    }

    [Test]
    public async Task An_installed_disk_says_what_it_is_and_is_not_to_be_written_again()
    {
        var disk = await GetAsync(InstallAsync);

        Assert.That(disk, Is.EqualTo(new InstalledDisk
        {
            Key = Key,
            Path = disk.Path,
            RunFolder = Path.GetDirectoryName(disk.Path)!,
            Size = Size,
            Allocated = 1 << 20,
            Map = disk.Map,
            Install = Facts with { Trace = disk.Install.Trace },
            FromCache = false,
        }));
        Assert.That(File.GetUnixFileMode(disk.Path), Is.EqualTo(UnixFileMode.UserRead));
    }

    [Test]
    public async Task The_same_disk_comes_from_the_cache_the_second_time()
    {
        var first = await GetAsync(InstallAsync);

        var second = await GetAsync(InstallAsync);

        Assert.That(second, Is.EqualTo(first with { FromCache = true }));
        Assert.That(_installs, Is.EqualTo(1));
    }

    [Test]
    public async Task A_disk_that_another_build_installed_meanwhile_counts_as_cached()
    {
        var waits = new TaskCompletionSource();
        var started = new TaskCompletionSource();
        var first = GetAsync(async path =>
        {
            started.SetResult();
            await waits.Task;
            return await InstallAsync(path);
        });
        await started.Task;
        var second = Store().GetOrInstallAsync(Key, Size, InstallAsync, _ => waits.SetResult(), Cancellation);

        Assert.That(await second, Is.EqualTo(await first with { FromCache = true }));
        Assert.That(_installs, Is.EqualTo(1));
    }

    [Test]
    public async Task A_disk_that_was_changed_after_its_install_is_dropped()
    {
        var disk = await GetAsync(InstallAsync);
        File.SetUnixFileMode(disk.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.SetLastWriteTimeUtc(disk.Path, File.GetLastWriteTimeUtc(disk.Path).AddTicks(10));

        Assert.That(Store().Find(Key), Is.Null);
        Assert.That((await GetAsync(InstallAsync)).FromCache, Is.False);
        Assert.That(_installs, Is.EqualTo(2));
    }

    [TestCase("")]
    [TestCase("null")]
    [TestCase("{}")]
    [TestCase("garbage")]
    [TestCase("WITHOUT FACTS")]
    public async Task A_disk_whose_record_is_damaged_is_dropped(string record)
    {
        var disk = await GetAsync(InstallAsync);
        var file = Path.Combine(Path.GetDirectoryName(disk.Path)!, "disk.json");
        var whole = await File.ReadAllTextAsync(file, Cancellation);
        await File.WriteAllTextAsync(file, record.Replace("WITHOUT FACTS", whole.Replace("\"install\": {", "\"install\": null, \"x\": {")), Cancellation);

        Assert.That(Store().Find(Key), Is.Null);
        Assert.That(disk.Path, Does.Not.Exist);
    }

    [Test]
    public async Task A_cached_folder_without_its_disk_is_dropped()
    {
        var disk = await GetAsync(InstallAsync);
        File.Delete(disk.Path);

        Assert.That((await GetAsync(InstallAsync)).FromCache, Is.False);
    }

    [Test]
    public async Task The_disk_of_a_failed_guest_is_kept_and_named()
    {
        var error = (await Assert.ThrowsAsync<CrustException>(() => GetAsync(async path =>
        {
            await InstallAsync(path);
            throw new CrustException(FailureKind.GuestFailed, "It panicked", "serial log: x", "read it") { Detail = "oh dear" };
        })))!;

        var kept = Path.Combine(Failed, "aaaaaaaaaaaaaaaa.raw");
        Assert.That((error.Kind, error.What, error.Remedy, error.Detail), Is.EqualTo((FailureKind.GuestFailed, "It panicked", "read it", "oh dear")));
        Assert.That(error.Where, Is.EqualTo($"serial log: x; the failed disk is kept as {kept}"));
        Assert.That(AllocatedOf(kept), Is.EqualTo(1 << 20));
        Assert.That(Store().Find(Key), Is.Null);
    }

    [Test]
    public async Task Of_two_failures_the_newer_disk_is_kept()
    {
        Task<InstallFacts> Fail(string path, string content)
        {
            File.WriteAllText(path, content);
            throw new CrustException(FailureKind.GuestFailed, "It panicked", "there", "read it");
        }

        await Assert.ThrowsAsync<CrustException>(() => GetAsync(path => Fail(path, "older")));
        await Assert.ThrowsAsync<CrustException>(() => GetAsync(path => Fail(path, "newer")));

        Assert.That(Directory.EnumerateFiles(Failed).Select(File.ReadAllText), Is.EqualTo(new[] { "newer" }));
    }

    [TestCase(FailureKind.HostLacks)]
    [TestCase(FailureKind.InputOutput)]
    public async Task A_failure_that_is_not_the_guests_keeps_nothing(FailureKind kind)
    {
        var thrown = new CrustException(kind, "It broke", "there", "mend it");

        var error = await Assert.ThrowsAsync<CrustException>(() => GetAsync(_ => throw thrown));

        Assert.That(error, Is.SameAs(thrown));
        CheckNothingIsLeft();
    }

    [Test]
    public void A_cancelled_install_leaves_nothing()
    {
        using var cancelling = new CancellationTokenSource();

        Assert.That(async () => await GetAsync(async path =>
        {
            await InstallAsync(path);
            await cancelling.CancelAsync();
            cancelling.Token.ThrowIfCancellationRequested();
            return Facts;
        }), Throws.InstanceOf<OperationCanceledException>());
        CheckNothingIsLeft();
    }

    [Test]
    public async Task A_disk_larger_than_the_file_system_allows_is_an_error_that_names_the_size()
    {
        const long TooLarge = long.MaxValue - 511;
        if (AllowsFilesOf(TooLarge))
        {
            // XFS and tmpfs know no such limit.
            Assert.That((await Store().GetOrInstallAsync(Key, TooLarge, InstallAsync, _ => { }, Cancellation)).Size, Is.EqualTo(TooLarge));
            return;
        }

        var error = (await Assert.ThrowsAsync<CrustException>(() => Store().GetOrInstallAsync(Key, TooLarge, InstallAsync, _ => { }, Cancellation)))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.HostLacks));
        Assert.That(error.What, Does.StartWith("A disk of 8388608.0 TiB can't be made: "));
        Assert.That(error.Remedy, Does.StartWith("set machine.disk (DISK_SIZE) to less"));
        CheckNothingIsLeft();
    }

    private void CheckNothingIsLeft()
    {
        Assert.That(Failed, Does.Not.Exist);
        Assert.That(Directory.EnumerateDirectories(Path.Combine(_root, "disks")), Is.Empty);
    }

    private DiskStore Store() => new(new BuildCache(_root, Logger.None), Logger.None);

    private Task<InstalledDisk> GetAsync(Func<string, Task<InstallFacts>> install) => Store().GetOrInstallAsync(Key, Size, install, _ => { }, Cancellation);

    private Task<InstallFacts> InstallAsync(string path)
    {
        _installs++;
        using var disk = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
        RandomAccess.Write(disk, Enumerable.Repeat((byte)1, 1 << 20).ToArray(), 8 << 20);
        return Task.FromResult(Facts);
    }

    private bool AllowsFilesOf(long size)
    {
        try
        {
            using var file = File.OpenHandle(Path.Combine(_root, "probe"), FileMode.Create, FileAccess.Write, options: FileOptions.DeleteOnClose);
            RandomAccess.SetLength(file, size);
            return true;
        }
        catch (ArgumentOutOfRangeException)
        {
            return false;
        }
    }

    private static long AllocatedOf(string path) => SparseFile.AllocatedBytes(path);
}
