using Crust.Installers;

namespace Crust.Tests.Installers;

public sealed class ChecksumTests
{
    private const string A = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    private const string B = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";

    [TestCase($"{A}  other.iso\n{B}  x.iso\n")]
    [TestCase($"{A} *other.iso\r\n{B} *x.iso\r\n")]
    [TestCase($"# comment\n\nSHA256 (other.iso) = {A}\nSHA256 (x.iso) = {B}")]
    [TestCase($"{A}  ./amd64/old-x.iso\n{B}  ./amd64/x.iso")]
    [TestCase(B)]
    public void A_sum_is_found_by_the_file_s_name(string sums)
    {
        Assert.That(Checksum.Find(sums, "x.iso"), Is.EqualTo(B.ToLowerInvariant()));
    }

    [TestCase("")]
    [TestCase($"{A}  other.iso")]
    [TestCase($"{A}  x.iso.zsync")]
    [TestCase("aaaa  x.iso")]
    [TestCase("<html>not found</html>")]
    public void A_sum_that_is_not_there_is_not_found(string sums)
    {
        Assert.That(Checksum.Find(sums, "x.iso"), Is.Null);
    }
}
