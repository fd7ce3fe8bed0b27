using Crust.Machines;

namespace Crust.Tests.Machines;

public sealed class GuestWordTests
{
    [Test]
    public void What_a_job_finds_comes_as_bytes_of_any_kind()
    {
        var found = GuestWord.Parse("""{"found":"hostname","at":"3.1","data":"AP8KIg=="}""") as GuestWord.Found;

        Assert.That(found, Is.Not.Null);
        Assert.That((found!.Kind, found.At), Is.EqualTo(("hostname", "3.1")));
        Assert.That(found.Data.ToArray(), Is.EqualTo(new byte[] { 0, 0xff, (byte)'\n', (byte)'"' }));
    }

    [Test]
    public void What_a_job_finds_is_not_told_to_the_log() =>
        Assert.That($"{GuestWord.Parse("""{"found":"accounts","at":"3.1","data":"c2VjcmV0"}""")}", Is.EqualTo("Found { accounts at 3.1, 6 bytes }"));

    [TestCase("""{"found":"hostname","at":"3.1"}""")]
    [TestCase("""{"found":"hostname","data":"not base64"}""")]
    [TestCase("""{"found":"hostname","data":7}""")]
    [TestCase("""{"found":7,"data":"AA=="}""")]
    [TestCase("""{"found":"hostname","data":"AA=""")]
    [TestCase("")]
    [TestCase("crust: 10% reading")]
    public void Anything_else_is_no_word(string line) => Assert.That(GuestWord.Parse(line), Is.Null);
}
