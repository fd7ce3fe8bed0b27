using Crust.Spec;

namespace Crust.Tests.Spec;

public sealed class NearestTests
{
    [TestCase("", "", 0)]
    [TestCase("disk", "disc", 1)]
    [TestCase("uefi", "ufei", 1)]
    [TestCase("kitten", "sitting", 3)]
    [TestCase("abc", "", 3)]
    public void The_distance_counts_typing_errors(string a, string b, int distance)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Nearest.Distance(a, b), Is.EqualTo(distance));
            Assert.That(Nearest.Distance(b, a), Is.EqualTo(distance));
        }
    }

    [TestCase("user-data", "userData")]
    [TestCase("USERDATA", "userData")]
    [TestCase("userdta", "userData")]
    [TestCase("bananas", null)]
    public void The_name_that_was_meant_is_found(string name, string? found) =>
        Assert.That(Nearest.Find(name, ["networkConfig", "userData", "ssh"]), Is.EqualTo(found));
}
