using System.Text;
using Crust.Machines;

namespace Crust.Tests.Machines;

[CancelAfter(60_000)]
public sealed class SerialPipeTests
{
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-pipe-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Half_a_million_characters_one_by_one_wait_for_a_reader_who_is_late()
    {
        const int Count = 500_000;
        using var pipe = new SerialPipe(Path.Combine(_folder, "serial"));
        await using (var qemu = OpenAsQemu(".out"))
        {
            for (var i = 0; i < Count; i++)
            {
                qemu.WriteByte((byte)('a' + (i % 26)));
            }

            await using var stream = pipe.Open();
            var received = new byte[Count];
            await stream.ReadExactlyAsync(received, Cancellation);

            Assert.That(Enumerable.Range(0, Count).All(i => received[i] == 'a' + (i % 26)));
        }
    }

    [Test]
    public async Task It_ends_when_QEMU_does()
    {
        using var pipe = new SerialPipe(Path.Combine(_folder, "serial"));
        var qemu = OpenAsQemu(".out");
        using var reader = new StreamReader(pipe.Open());
        qemu.Write("off\n"u8);

        await qemu.DisposeAsync();

        Assert.That(await reader.ReadToEndAsync(Cancellation), Is.EqualTo("off\n"));
    }

    [Test]
    public async Task What_is_typed_goes_the_other_way()
    {
        using var pipe = new SerialPipe(Path.Combine(_folder, "serial"));
        await using var qemu = OpenAsQemu(".in");

        await pipe.TypeAsync("yes\r", Cancellation);
        var typed = new byte[4];
        await qemu.ReadExactlyAsync(typed, Cancellation);

        Assert.That(Encoding.ASCII.GetString(typed), Is.EqualTo("yes\r"));
    }

    // It opens both ends of each, as its chardev "pipe" does.
    private FileStream OpenAsQemu(string end) => new(Path.Combine(_folder, "serial" + end), FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
}
