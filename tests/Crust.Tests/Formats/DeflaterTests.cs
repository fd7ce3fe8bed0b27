using System.IO.Compression;
using Crust.Formats;

namespace Crust.Tests.Formats;

public sealed class DeflaterTests
{
    private static readonly byte[] Noise = new byte[65536];
    private static readonly byte[] Text = [.. Enumerable.Range(0, 65536).Select(i => (byte)(i / 9 % 50))];

    static DeflaterTests() => new Random(1).NextBytes(Noise);

    private static IEnumerable<Deflater> Deflaters => [new LibdeflateDeflater(4), new ZLibDeflater()];

    [Test]
    public void What_was_compressed_is_a_zlib_stream_of_the_same_bytes([Values(1, 512, 65536)] int length)
    {
        foreach (var deflater in Deflaters)
        {
            using (deflater)
            {
                Assert.That(Inflate(Compress(deflater, Text[..length])), Is.EqualTo(Text[..length]), deflater.GetType().Name);
                Assert.That(Inflate(Compress(deflater, Noise[..length])), Is.EqualTo(Noise[..length]), deflater.GetType().Name);
            }
        }
    }

    [Test]
    public void Gzip_members_one_behind_the_other_are_a_file_of_the_same_bytes()
    {
        foreach (var deflater in Deflaters)
        {
            using (deflater)
            {
                var output = new byte[70_000];
                var members = new[] { Text, Noise, [0] }.SelectMany(data => output[..deflater.CompressToGzip(data, output)]).ToArray();

                using var gzip = new GZipStream(new MemoryStream(members), CompressionMode.Decompress);
                using var result = new MemoryStream();
                gzip.CopyTo(result);
                Assert.That(result.ToArray(), Is.EqualTo(Text.Concat(Noise).Append((byte)0)), deflater.GetType().Name);
            }
        }
    }

    [Test]
    public void What_does_not_compress_grows_by_less_than_a_sector()
    {
        foreach (var deflater in Deflaters)
        {
            using (deflater)
            {
                Assert.That(Compress(deflater, Noise), Has.Length.LessThan(65536 + 512 - 12), deflater.GetType().Name);
            }
        }
    }

    [Test]
    public void This_host_has_libdeflate_so_it_is_used()
    {
        using var deflater = Deflater.Create(4);

        Assert.That(deflater, Is.InstanceOf<LibdeflateDeflater>());
    }

    [Test]
    public void A_compressor_s_result_depends_on_its_input_alone()
    {
        foreach (var deflater in Deflaters)
        {
            using (deflater)
            {
                var first = Compress(deflater, Text);
                Compress(deflater, Noise);

                Assert.That(Compress(deflater, Text), Is.EqualTo(first), deflater.GetType().Name);
            }
        }
    }

    private static byte[] Compress(Deflater deflater, byte[] data)
    {
        var output = new byte[70_000];
        return output[..deflater.Compress(data, output)];
    }

    private static byte[] Inflate(byte[] data)
    {
        using var zlib = new ZLibStream(new MemoryStream(data), CompressionMode.Decompress);
        using var result = new MemoryStream();
        zlib.CopyTo(result);
        return result.ToArray();
    }
}
