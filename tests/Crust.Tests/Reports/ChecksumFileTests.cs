using Crust.Reports;

namespace Crust.Tests.Reports;

public sealed class ChecksumFileTests
{
    private static readonly string A = new('a', 64);
    private static readonly string B = new('b', 64);

    [Test]
    public void New_sums_are_put_in_by_name() =>
        Assert.That(Update("", ("b.vmdk", B), ("a.img", A)), Is.EqualTo($"{A}  a.img\n{B}  b.vmdk\n"));

    [Test]
    public void A_sum_of_the_same_file_is_replaced() =>
        Assert.That(Update($"{A}  a.img\n", ("a.img", B)), Is.EqualTo($"{B}  a.img\n"));

    [Test]
    public void A_file_that_has_no_sum_any_more_has_no_line() =>
        Assert.That(Update($"{A}  a.img\n{B}  b.vmdk\n", ("a.img", null)), Is.EqualTo($"{B}  b.vmdk\n"));

    [Test]
    public void Lines_of_other_files_stay_as_they_are() =>
        Assert.That(Update($"{A} *other.iso\n{A}  z with spaces.img\n", ("p.img", B)), Is.EqualTo($"{A} *other.iso\n{B}  p.img\n{A}  z with spaces.img\n"));

    [Test]
    public void Lines_of_files_that_are_gone_are_dropped_and_lines_that_are_none_stay() =>
        Assert.That(ChecksumFile.Update($"{A}  gone.img\ngarbage\n\n{B}  here.img\n", Sums(), file => file == "here.img"), Is.EqualTo($"garbage\n{B}  here.img\n"));

    [Test]
    public void Without_any_sum_the_file_is_empty() => Assert.That(Update(""), Is.Empty);

    private static string Update(string existing, params (string File, string? Sum)[] sums) => ChecksumFile.Update(existing, Sums(sums), _ => true);

    private static Dictionary<string, string?> Sums(params (string File, string? Sum)[] sums) => sums.ToDictionary(sum => sum.File, sum => sum.Sum);
}
