using Crust.Tests.Formats;
using Crust.Tools;

namespace Crust.Tests.Tools;

[CancelAfter(60_000)]
public sealed class HostLibraryTests
{
    [Test]
    public async Task A_library_that_says_its_version_is_identified_by_it()
    {
        var package = await SampleImages.RunAsync("dpkg-query", "-W", "-f", "${Version}", "libzstd1");

        Assert.That(package, Does.StartWith(HostLibrary.Zstd.Identity["libzstd ".Length..]));
        Assert.That(HostLibrary.Zstd.Identity, Does.Match(@"^libzstd \d+\.\d+\.\d+$"));
    }

    [Test]
    public async Task One_that_does_not_is_identified_by_the_digest_of_its_file()
    {
        var file = (await SampleImages.RunAsync("sh", "-c", "dpkg -L libdeflate0 | grep 'libdeflate.so.0$'")).Trim();
        var digest = (await SampleImages.RunAsync("sha256sum", file))[..12];

        Assert.That(HostLibrary.Deflate.Identity, Is.EqualTo($"libdeflate {digest}"));
    }

    [Test]
    public void Where_it_is_missing_the_runtime_is_what_decides() =>
        Assert.That(new HostLibrary("libnone", "libnone.so.9", "libnone9", "the runtime does it").Identity, Is.EqualTo($".NET {Environment.Version}"));
}
