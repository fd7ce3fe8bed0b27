using System.Text;
using System.Xml;
using Crust.Formats.Archives;
using Crust.Formats.Headers;
using Crust.Storage;
using Crust.Trees;

namespace Crust.Formats.Ova;

/// <summary>Finds the disk in an OVA. Nothing is unpacked; what its descriptor names has to be in it.</summary>
internal static class OvaReader
{
    private const int LongestDescriptor = 4 << 20;
    private const string DiskExtension = ".vmdk";
    private const string DescriptorExtension = ".ovf";

    /// <summary>The disk in an OVA, to be read where it is.</summary>
    /// <exception cref="CrustException">It is no OVA with one disk, or names what isn't in it.</exception>
    public static QemuDisk Open(string path)
    {
        using var file = new FileStream(RegularFile.Open(path, "image", "name an OVA: a regular file"), FileAccess.Read);
        try
        {
            var members = TarIndex.Read(file, new FilePart(0, file.Length), "it");
            members.RequireFilesOnly();
            foreach (var descriptor in Named(members, DescriptorExtension))
            {
                CheckDescriptor(TarIndex.ReadBytes(file.SafeFileHandle, members.FileOf(descriptor), LongestDescriptor, descriptor.Name), members);
            }

            var disks = Named(members, DiskExtension).ToList();
            return disks is [var disk] ? new QemuDisk("vmdk", path) { Part = members.FileOf(disk) } : throw new InvalidDataException($"it has {disks.Count} of them");
        }
        catch (Exception e) when (e is InvalidDataException or XmlException)
        {
            throw new CrustException(FailureKind.BadInput, $"The image isn't an OVA with one vmdk in it: {(e is XmlException ? "its descriptor isn't XML" : e.Message)}", path,
                "give an image that Crust has made", e);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The image can't be read: {e.Message}", path, "check the drive that it is on", e);
        }
    }

    private static IEnumerable<ArchiveEntry> Named(TarIndex members, string extension) => members.Members.Where(member => member.Name.EndsWith(extension, StringComparison.OrdinalIgnoreCase));

    // DSP0243, section 7.1: References has a File for each file, relative to the descriptor.
    private static void CheckDescriptor(byte[] descriptor, TarIndex members)
    {
        using var xml = XmlReader.Create(new MemoryStream(descriptor), new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null });
        while (xml.Read())
        {
            if (xml is not { NodeType: XmlNodeType.Element, LocalName: "File" })
            {
                continue;
            }

            for (var more = xml.MoveToFirstAttribute(); more; more = xml.MoveToNextAttribute())
            {
                if (xml.LocalName == "href" && !members.Members.Any(member => member.Name == xml.Value))
                {
                    throw new InvalidDataException($"its descriptor names {ImageBytes.Printable(Encoding.UTF8.GetBytes(xml.Value))}, which isn't in it");
                }
            }
        }
    }
}
