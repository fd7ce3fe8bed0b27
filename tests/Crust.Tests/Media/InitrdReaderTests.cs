using Crust.Media;
using Crust.Tests.Bases;

namespace Crust.Tests.Media;

[CancelAfter(60_000)]
public sealed class InitrdReaderTests
{
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-test-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Modules_and_drivers_are_found_behind_the_microcode()
    {
        var facts = await ReadAsync(LiveSample.Initrd("dmsquash-live\nimmucore\n", "usr/lib/modules/6.1/kernel/fs/squashfs/squashfs.ko.xz",
            "usr/lib/modules/6.1/kernel/fs/isofs/isofs.ko", "usr/bin/sh"));

        Assert.That(facts.Dracut, Is.EqualTo(new[] { "dmsquash-live", "immucore" }));
        Assert.That(facts.Drivers, Is.EqualTo(new[] { "isofs", "squashfs" }));
        Assert.That(facts.Unreadable, Is.Null);
    }

    [Test]
    public async Task One_that_is_not_compressed_is_read_too()
    {
        var facts = await ReadAsync(LiveSample.Cpio(("usr/lib/dracut/modules.txt", "base\n"), ("lib/modules/6.1/dm-mod.ko", "")));

        Assert.That(facts.Dracut, Is.EqualTo(new[] { "base" }));
        Assert.That(facts.Drivers, Is.EqualTo(new[] { "dm_mod" }));
    }

    [Test]
    public async Task A_compression_that_nobody_unpacks_is_said() =>
        Assert.That((await ReadAsync([0x02, 0x21, 0x4c, 0x18, 1, 2, 3])).Unreadable, Does.Contain("lz4"));

    [Test]
    public async Task An_empty_one_is_said() => Assert.That((await ReadAsync(new byte[64])).Unreadable, Is.EqualTo("it is no cpio archive"));

    private async Task<InitrdFacts> ReadAsync(byte[] bytes)
    {
        var path = Path.Combine(_folder, "initrd");
        await File.WriteAllBytesAsync(path, bytes, Cancellation);
        return await new InitrdReader(BaseSample.Tools).ReadAsync(path, _folder, Cancellation);
    }
}
