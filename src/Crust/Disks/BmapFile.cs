using System.Collections.Immutable;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Crust.Storage;

namespace Crust.Disks;

/// <summary>
/// A block map as a file: bmap-tools' format, version 2.0 (its BmapCreate.py has the specification). `bmaptool copy` and other writers take it to write only
/// what holds data, and to check that.
/// </summary>
internal static class BmapFile
{
    /// <summary>The extension that bmaptool looks for behind the image's whole name.</summary>
    public const string Extension = ".bmap";

    // The file's checksum is that of the file with zeros in this place.
    private static readonly string NoChecksum = new('0', 64);

    /// <summary>Writes the file, private until it is placed beside an image.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public static void Write(BlockMap map, string path)
    {
        var text = ToText(map, NoChecksum);
        WholeFile.Replace(path, ToText(map, Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(text)))));
    }

    /// <summary>Reads a file that <see cref="Write"/> has written.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    /// <exception cref="InvalidDataException">It isn't a block map with a checksum for each range.</exception>
    public static BlockMap Read(string path) => Parse(File.ReadAllBytes(path), path);

    /// <summary>The same of a file's bytes.</summary>
    /// <exception cref="InvalidDataException">As above.</exception>
    public static BlockMap Parse(byte[] bytes, string path)
    {
        try
        {
            // No document type: it could define entities that stand for far more than the file has.
            using var reader = XmlReader.Create(new MemoryStream(bytes), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit });
            var root = XDocument.Load(reader).Root!;
            var size = long.Parse(root.Element("ImageSize")!.Value, CultureInfo.InvariantCulture);
            return new BlockMap(size, [.. root.Element("BlockMap")!.Elements("Range").Select(range => ReadRange(range, size))]);
        }
        catch (Exception e) when (e is XmlException or NullReferenceException or FormatException or OverflowException)
        {
            throw new InvalidDataException($"{path} isn't a block map: {e.Message}", e);
        }
    }

    private static BlockRange ReadRange(XElement range, long size)
    {
        var blocks = range.Value.Split('-').Select(block => long.Parse(block, CultureInfo.InvariantCulture) * BlockMap.Block).ToImmutableArray();
        return new BlockRange(blocks[0], checked((int)(Math.Min(size, blocks[^1] + BlockMap.Block) - blocks[0])), range.Attribute("chksum")!.Value);
    }

    private static string ToText(BlockMap map, string checksum)
    {
        var text = new StringBuilder($"""
            <?xml version="1.0" ?>
            <!-- Where this image's data is; the rest is zeros. To write it to a disk: bmaptool copy IMAGE DEVICE -->
            <bmap version="2.0">
                <ImageSize> {map.Size} </ImageSize>
                <BlockSize> {BlockMap.Block} </BlockSize>
                <BlocksCount> {BlocksOf(map.Size)} </BlocksCount>
                <MappedBlocksCount> {map.Ranges.Sum(range => BlocksOf(range.Length))} </MappedBlocksCount>
                <ChecksumType> sha256 </ChecksumType>
                <BmapFileChecksum> {checksum} </BmapFileChecksum>
                <BlockMap>

            """);
        foreach (var range in map.Ranges)
        {
            var (first, last) = (range.Offset / BlockMap.Block, BlocksOf(range.End) - 1);
            text.Append(CultureInfo.InvariantCulture, $"        <Range chksum=\"{range.Sha256}\"> {(first == last ? $"{first}" : $"{first}-{last}")} </Range>\n");
        }

        return text.Append("    </BlockMap>\n</bmap>\n").ToString();
    }

    private static long BlocksOf(long bytes) => (bytes + BlockMap.Block - 1) / BlockMap.Block;
}
