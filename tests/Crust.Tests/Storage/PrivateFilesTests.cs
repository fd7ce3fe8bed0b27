using System.Runtime.InteropServices;
using Crust.Disks;
using Crust.Storage;
using Serilog.Core;

namespace Crust.Tests.Storage;

/// <summary>Who may read what Crust writes. The umask is the whole process's.</summary>
[CancelAfter(60_000)]
[NonParallelizable]
public sealed partial class PrivateFilesTests
{
    private const UnixFileMode Others = (UnixFileMode)0x3f;

    private string _folder = null!;
    private int _umask;

    [SetUp]
    public void SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-private-").FullName;
        _umask = Umask(0);
    }

    [TearDown]
    public void TearDown()
    {
        _ = Umask(_umask);
        Directory.Delete(_folder, recursive: true);
    }

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string CacheRoot => Path.Combine(_folder, "cache");

    private BuildCache Cache => new(CacheRoot, Logger.None);

    [Test]
    public async Task A_cached_disk_and_one_of_a_failed_install_are_for_their_user_alone([Values(0, 18)] int umask)
    {
        _ = Umask(umask);
        var store = new DiskStore(Cache, Logger.None);

        var disk = await store.GetOrInstallAsync("0123456789abcdef00", 1 << 20, disk => InstallAsync(disk, fails: false), _ => { }, Cancellation);
        await Assert.ThrowsAsync<CrustException>(() => store.GetOrInstallAsync("fedcba987654321000", 1 << 20, disk => InstallAsync(disk, fails: true), _ => { }, Cancellation));

        Assert.That(disk.Path, Does.Exist);
        Assert.That(Path.Combine(CacheRoot, "failed", "fedcba9876543210.raw"), Does.Exist);
        Assert.That(OpenToOthers(CacheRoot), Is.Empty);
    }

    [Test]
    public void What_an_earlier_version_left_in_a_cache_is_made_private_once_and_nothing_else()
    {
        var failed = Directory.CreateDirectory(Path.Combine(CacheRoot, "failed")).FullName;
        File.WriteAllText(Path.Combine(failed, "0123.raw"), "");
        var notes = Path.Combine(CacheRoot, "notes");
        File.WriteAllText(notes, "");

        CacheFolder.Tidy(CacheRoot);

        Assert.That(OpenToOthers(failed), Is.Empty);
        Assert.That(File.GetUnixFileMode(notes) & Others, Is.Not.EqualTo(UnixFileMode.None), "it isn't Crust's");
    }

    [TestCase(0x12, 0x1a4)] // 022, 0644
    [TestCase(0x3f, 0x180)] // 077, 0600
    [TestCase(0x00, 0x1b6)] // 000, 0666
    public void All_images_have_the_permissions_of_the_umask_whatever_program_wrote_them(int umask, int mode)
    {
        var drafts = Directory.CreateDirectory(Path.Combine(_folder, "drafts")).FullName;
        foreach (var written in new[] { 0x124, 0x180, 0x1ff })
        {
            var draft = Path.Combine(drafts, $"{written}.img");
            File.WriteAllText(draft, "");
            File.SetUnixFileMode(draft, (UnixFileMode)written);
            _ = Umask(umask);
            OutputFile.Place(draft, Path.Combine(_folder, $"{written}.img"));
            Assert.That(File.GetUnixFileMode(Path.Combine(_folder, $"{written}.img")), Is.EqualTo((UnixFileMode)mode));
        }
    }

    [Test]
    public void An_image_is_its_own_file_and_neither_its_permissions_nor_its_writers_reach_the_cached_disk()
    {
        var (disk, image) = (Path.Combine(_folder, "disk.raw"), Path.Combine(_folder, "edge.img"));
        File.WriteAllText(disk, "installed");
        File.SetUnixFileMode(disk, WholeFile.Private);

        SparseFile.Duplicate(disk, image, _ => { }, Cancellation);
        File.WriteAllText(image, "booted");

        Assert.That(File.ReadAllText(disk), Is.EqualTo("installed"));
        Assert.That(FileFacts.TryOf(image, follow: false)!.IsSameAs(FileFacts.TryOf(disk, follow: false)), Is.False);
    }

    [TestCase(0x1c0, 0x180)] // 0700: 0600
    [TestCase(0x1f8, 0x1b0)] // 0770: 0660
    [TestCase(0x1ff, 0x1b6)] // 0777: 0666
    public async Task The_lock_of_a_folder_can_be_taken_by_all_who_may_write_to_it(int folder, int mode)
    {
        _ = Umask(0x3f);
        File.SetUnixFileMode(_folder, (UnixFileMode)folder);
        var path = Path.Combine(_folder, ".lock");

        using var held = await FileLock.AcquireAsync(path, null, Cancellation);

        Assert.That(File.GetUnixFileMode(path), Is.EqualTo((UnixFileMode)mode));
    }

    [Test]
    public async Task A_lock_that_is_a_link_or_a_pipe_is_told_and_never_followed([Values] bool isLink)
    {
        var (path, target) = (Path.Combine(_folder, ".lock"), Path.Combine(_folder, "target"));
        if (isLink)
        {
            File.CreateSymbolicLink(path, target);
        }
        else
        {
            Pipes.Make(path);
        }

        var error = (await Assert.ThrowsAsync<CrustException>(() => FileLock.AcquireAsync(path, null, Cancellation)))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.HostLacks));
        Assert.That(target, Does.Not.Exist);
    }

    [Test]
    public void A_file_that_is_placed_replaces_a_link_and_its_target_stays()
    {
        var (target, path) = (Path.Combine(_folder, "target"), Path.Combine(_folder, "edge.log"));
        File.WriteAllText(target, "precious");
        File.CreateSymbolicLink(path, target);

        OutputFile.Write(Directory.CreateDirectory(Path.Combine(_folder, "drafts")).FullName, path, "log");

        Assert.That((File.ReadAllText(target), File.ReadAllText(path), new FileInfo(path).LinkTarget), Is.EqualTo(("precious", "log", (string?)null)));
    }

    private static Task<InstallFacts> InstallAsync(string disk, bool fails)
    {
        using var file = File.OpenHandle(disk, FileMode.Open, FileAccess.Write);
        RandomAccess.Write(file, new byte[4096], 0);
        File.WriteAllText(Path.Combine(Path.GetDirectoryName(disk)!, "serial.log"), "password");
        return fails ? throw new CrustException(FailureKind.GuestFailed, "It failed", "there", "mend it") : Task.FromResult(InstallFacts.None);
    }

    private static IEnumerable<string> OpenToOthers(string folder) =>
        Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).Append(folder).Where(entry => (File.GetUnixFileMode(entry) & Others) != 0);

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial int Umask(int mask);
}
