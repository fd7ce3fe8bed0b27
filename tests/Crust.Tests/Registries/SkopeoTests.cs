using Crust.Registries;

namespace Crust.Tests.Registries;

public sealed class SkopeoTests
{
    // A byte that is read as it was written is Go's runtime, which wakes itself; a tick may fall between both.
    [TestCase(0, 0, false)]
    [TestCase(3, 3, false)]
    [TestCase(2, 3, false)]
    [TestCase(230, 0, true, TestName = "Only_what_a_registry_takes_or_gives_is_progress(an answer)")]
    [TestCase(0, 160, true, TestName = "Only_what_a_registry_takes_or_gives_is_progress(a request)")]
    [TestCase(32768, 32768, true, TestName = "Only_what_a_registry_takes_or_gives_is_progress(a piece of a file that is sent on)")]
    public void Only_what_a_registry_takes_or_gives_is_progress(long read, long written, bool isProgress) =>
        Assert.That(Skopeo.HasMoved((1000, 500), (1000 + read, 500 + written)), Is.EqualTo(isProgress));
}
