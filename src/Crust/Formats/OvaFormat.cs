using System.Security.Cryptography;
using System.Text;
using Crust.Formats.Archives;
using Crust.Formats.Headers;
using Crust.Formats.Ova;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Formats;

/// <summary>
/// An OVA (DMTF DSP0243, Open Virtualization Format 1.1, section 5.3): a tar archive with a descriptor of the machine, a manifest with
/// checksums, and the vmdk.
/// </summary>
internal sealed class OvaFormat : IImageFormat
{
    private static readonly VmdkFormat Inner = new();

    public string Name => "ova";

    public string Extension => ".ova";

    public string MediaType => "application/ovf";

    public string? QemuDriver => Inner.QemuDriver;

    // rasd:ResourceSubType in the descriptor.
    public string Controller => Inner.Controller;

    // What the descriptor has said of Secure Boot and TPM since its second version.
    public string RecipeOf(BuildSpec spec, FormatServices services) => (OvfDescriptor.HasSecurity(spec.Machine) ? "ovf 2" : "") + (spec.HasBase ? MachineOf(spec.Machine) : "");

    // The descriptor's machine, which the build key of a base image doesn't tell.
    private static string MachineOf(MachineSpec machine) => $" machine={machine.Firmware.LowerName()},{machine.Cpus},{machine.Memory},{machine.Tpm}";

    public FormatNeeds NeedsOf(BuildSpec spec) => Inner.NeedsOf(spec) with { Wraps = Inner.Name };

    public ImageSign SignIn(ImageSample file) => file.IsTar ? ImageSign.Archive : ImageSign.None;

    public Task<QemuDisk> OpenAsync(string image, string scratch, ToolBox tools, CancellationToken cancellation) => Task.Run(() => OvaReader.Open(image), cancellation);

    public async Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        var vmdk = await request.Parts.GetAsync(Inner.Name);
        var disk = new TarMember(TarMember.NameFor(request.Name, Inner.Extension), vmdk.Size);
        var descriptorName = TarMember.NameFor(request.Name, ".ovf");
        var descriptor = Encoding.UTF8.GetBytes(OvfDescriptor.For(request.Name, request.Spec.Machine, request.Disk.Size, disk.Name, vmdk.Size));
        var manifest = $"SHA256({descriptorName})= {Convert.ToHexStringLower(SHA256.HashData(descriptor))}\nSHA256({disk.Name})= {vmdk.Sha256}\n";

        using var file = new HashedFile(request.Path);
        file.Append(TarMember.File(descriptorName, descriptor));
        file.Append(TarMember.File(TarMember.NameFor(request.Name, ".mf"), Encoding.UTF8.GetBytes(manifest)));
        file.Append(disk.With(FilePieces.Of(vmdk.Path, read => request.Progress((double)read / vmdk.Size), cancellation)));
        file.Append(TarMember.EndOfArchive.Span);
        return new WrittenImage(file.Sha256());
    }
}
