using System.Text;
using Crust.Downloads;
using Crust.Storage;

namespace Crust.Tests.Storage;

public sealed class ChecksumTests
{
    private const string A = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    private const string B = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB";
    private const string C = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";
    private const string Sha512 = A + B;

    private static string Find(string sums, string path = "x.iso") => ChecksumList.Parse(Encoding.UTF8.GetBytes(sums)).Find(path.Split('/'), "the list");

    private static CrustException Fails(string sums, string path = "x.iso") => Assert.Throws<CrustException>(() => Find(sums, path))!;

    [TestCase($"{A}  other.iso\n{B}  x.iso\n")]
    [TestCase($"{A} *other.iso\r\n{B} *x.iso\r\n")]
    [TestCase($"# comment\n\nSHA256 (other.iso) = {A}\nSHA256 (x.iso) = {B}")]
    [TestCase($"{A}  ./amd64/old-x.iso\n{B}  ./amd64/x.iso")]
    [TestCase(B)]
    [TestCase($"{B}\n\n")]
    [TestCase($"{B}  -\n")]
    [TestCase($"{B} *-\n")]
    [TestCase($"SHA2-256(x.iso)= {B}\n")]
    [TestCase($"SHA256(other.iso)= {A}\nSHA256(x.iso)= {B}\n")]
    [TestCase($"SHA2-256(stdin)= {B}\n")]
    [TestCase($"{A} *D:\\isos\\other.iso\r\n{B} *C:\\isos\\x.iso\r\n")]
    [TestCase($"Algorithm       Hash                                                                   Path\n---------       ----                                                                   ----\nSHA256          {B}       C:\\isos\\x.iso\n")]
    [TestCase($"\uFEFF{B}  x.iso\n")]
    [TestCase($"# x.iso: 5 bytes\n; {A}  x.iso\n{B}  x.iso\n")]
    [TestCase($"{Sha512}  x.iso\n{B}  x.iso\n")]
    [TestCase($"SHA3-256 (x.iso) = {A}\nBLAKE2b-256 (x.iso) = {A}\nSHA512 (x.iso) = {Sha512}\nSHA256 (x.iso) = {B}\n")]
    [TestCase($"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{B}  x.iso\n- -----dashes\n-----BEGIN PGP SIGNATURE-----\n\n{A}  x.iso\n-----END PGP SIGNATURE-----\n")]
    [TestCase($"{B}\tx.iso\n")]
    [TestCase($"{B}  x.iso\n{B}  x.iso\n")]
    public void A_sum_is_found_by_the_file_s_name(string sums)
    {
        Assert.That(Find(sums), Is.EqualTo(B.ToLowerInvariant()));
    }

    [Test]
    public void Lists_in_UTF_16_are_read()
    {
        var text = $"{A}  other.iso\r\n{B}  x.iso\r\n";
        byte[][] lists = [[0xff, 0xfe, .. Encoding.Unicode.GetBytes(text)], [0xfe, 0xff, .. Encoding.BigEndianUnicode.GetBytes(text)], Encoding.Unicode.GetBytes(text)];

        Assert.That(lists.Select(list => ChecksumList.Parse(list).Find(["x.iso"], "")), Is.All.EqualTo(B.ToLowerInvariant()));
    }

    [TestCase($"\\{B}  a\\\\b.iso", "a\\b.iso")]
    [TestCase($"\\{B}  a\\nb.iso", "a\nb.iso")]
    public void Names_that_coreutils_escaped_are_meant_as_they_were(string sums, string name)
    {
        // As a path, the part behind the backslash is the name.
        Assert.That(Find(sums, name.Split('\\')[^1]), Is.EqualTo(B.ToLowerInvariant()));
    }

    [TestCase("debian/images/netboot/mini.iso", A)]
    [TestCase("debian/images/netboot/gtk/mini.iso", B)]
    [TestCase("debian/images/mini.iso", C)]
    public void Of_files_of_one_name_the_longest_path_that_is_the_URL_s_counts(string path, string sum)
    {
        Assert.That(Find($"{A}  ./netboot/mini.iso\n{B}  ./netboot/gtk/mini.iso\n{C}  mini.iso\n", path), Is.EqualTo(sum.ToLowerInvariant()));
    }

    [Test]
    public void Files_of_one_name_that_nothing_tells_apart_are_named()
    {
        var error = Fails($"{A}  ./netboot/mini.iso\n{B}  ./netboot/gtk/mini.iso\n", "home/me/mini.iso");

        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That(error.What, Is.EqualTo("The list of checksums has several files called mini.iso, and nothing says which of them is meant: ./netboot/mini.iso (aaaaaaaa…), ./netboot/gtk/mini.iso (bbbbbbbb…)"));
        Assert.That(Find($"{A}  ./netboot/mini.iso\n{A}  ./netboot/gtk/mini.iso\n", "home/me/mini.iso"), Is.EqualTo(A), "the same file twice");
    }

    [TestCase("", "The list of checksums has no SHA-256 of x.iso: nothing in it is a checksum")]
    [TestCase("<html>not found</html>", "The list of checksums has no SHA-256 of x.iso: nothing in it is a checksum")]
    [TestCase("aaaa  x.iso", "The list of checksums has no SHA-256 of x.iso: nothing in it is a checksum")]
    [TestCase($"{A}  other.iso", "The list of checksums has no SHA-256 of x.iso", "this list has other.iso")]
    [TestCase($"{A}  x.iso.zsync", "The list of checksums has no SHA-256 of x.iso", "this list has x.iso.zsync")]
    [TestCase($"{Sha512}  x.iso\n{Sha512}  y.iso\n", "The list of checksums has no SHA-256 of x.iso, only its SHA-512")]
    [TestCase($"{Sha512}  y.iso\n", "The list of checksums has no SHA-256 of x.iso: it is one of SHA-512")]
    [TestCase($"SHA3-256 (x.iso) = {A}\n", "The list of checksums has no SHA-256 of x.iso, only its SHA3-256")]
    [TestCase($"{A}\n{B}\n", "The list of checksums has no SHA-256 of x.iso; it has several sums without names")]
    [TestCase($"{A}  1.iso\n{A}  2.iso\n{A}  3.iso\n{A}  4.iso\n{A}  5.iso\n{A}  zzz\n{A}  X.iso\n", "The list of checksums has no SHA-256 of x.iso", "this list has X.iso, 1.iso, 2.iso, 3.iso, 4.iso and 2 more")]
    public void A_sum_that_is_not_there_is_told_with_what_is_there(string sums, string what, string remedy = "")
    {
        var error = Fails(sums);

        Assert.That((error.Kind, error.What, error.Where), Is.EqualTo((FailureKind.BadInput, what, "the list")));
        Assert.That(error.Remedy, Does.Contain("64 hex digits").And.Contain(remedy));
    }

    [Test]
    public void Names_of_a_hostile_list_are_cut_and_have_no_control_characters()
    {
        var error = Fails($"{A}  \u001b]0;evil\u0007{new string('x', 5000)}\n");

        Assert.That(error.Message, Has.Length.LessThan(600).And.Not.Contain("\u001b"));
    }

    [Test]
    public void A_long_list_is_read_at_once()
    {
        var list = string.Concat(Enumerable.Range(0, 100_000).Select(i => $"{A}  pool/{i}/x.iso\n"));

        Assert.That(Find(list, "pool/7/x.iso"), Is.EqualTo(A));
    }

    [TestCase(A, A)]
    [TestCase($"sha256:{B}", "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")]
    [TestCase("SHA256SUMS", null)]
    [TestCase(null, null)]
    public void A_checksum_may_say_what_it_is(string? text, string? sum) => Assert.That(Checksum.ValueOf(text), Is.EqualTo(sum));
}
