using Crust.Storage;

namespace Crust.Tests.Storage;

public sealed class FileRangesTests
{
    [TestCase(0, 4, "cru")]
    [TestCase(1, 2, "ru")]
    [TestCase(2, 2, "u")]
    [TestCase(3, 2, "")]
    [TestCase(9, 2, "")]
    public void A_range_is_as_long_as_there_are_bytes(long offset, int length, string read)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "cru");
            using var file = File.OpenHandle(path);

            Assert.That(file.ReadUpTo(offset, length), Is.EqualTo(System.Text.Encoding.ASCII.GetBytes(read)));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
