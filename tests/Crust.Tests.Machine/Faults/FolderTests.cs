using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Faults;

/// <summary>Crust's folders on file systems that are read-only or full.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class FolderTests : FaultFixture
{
    private const string ReadOnly = "remount,ro";
    private const string Full = "remount,nr_inodes=1";
    private const string Ballast = "remount,size=4k";

    [TestCase("images", ReadOnly, "The folder can't be written: Read-only file system", "--output")]
    [TestCase("images", Full, "The folder can't be written: No space left on device", "--output")]
    [TestCase("cache", ReadOnly, "The folder can't be written: Read-only file system", "CRUST_CACHE")]
    [TestCase("cache", Full, "The folder can't be written: No space left on device", "CRUST_CACHE")]
    [TestCase("cache", Ballast, "There is too little space for the installed disk", "crust clean")]
    [TestCase("run", ReadOnly, "The private folder for QEMU's sockets can't be made: Read-only file system", "XDG_RUNTIME_DIR")]
    [TestCase("run", Full, "The private folder for QEMU's sockets can't be made: No space left on device", "XDG_RUNTIME_DIR")]
    public async Task A_folder_that_cannot_be_written_is_told_with_what_to_do(string folder, string fault, string what, string remedy)
    {
        var iso = await IsoAsync(StubGuest.Installs);
        using var small = await SmallFileSystem.MountAsync(Path.Combine(Crust.Folder, folder), "1M", Cancellation);
        await Host.RunAsync("mount", ["-o", fault, small.Path], Cancellation);

        var result = await Crust.RunAsync(Cancellation, Arguments(iso));

        Assert.That(result.ExitCode, Is.EqualTo(3), result.Error);
        Assert.That(result.Error, Does.Contain($"crust: {what}").And.Contain($"where: {small.Path}").And.Contain(remedy).And.Not.Contain("   at Crust."));
    }

    [TestCase(ReadOnly)]
    [TestCase(Full)]
    public async Task A_folder_for_temporary_files_that_cannot_be_written_does_no_harm(string fault)
    {
        var iso = await IsoAsync(StubGuest.Installs);
        using var small = await SmallFileSystem.MountAsync(Crust.Temporary, "1M", Cancellation);
        await Host.RunAsync("mount", ["-o", fault, small.Path], Cancellation);

        var result = await Crust.RunAsync(Cancellation, Arguments(iso));

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        ImagesMayChange();
    }
}
