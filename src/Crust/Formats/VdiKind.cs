using Crust.Formats.Headers;

namespace Crust.Formats;

/// <summary>VirtualBox's own format, which Crust reads and doesn't write.</summary>
internal sealed class VdiKind : IImageKind
{
    public string Name => "vdi";

    public string? QemuDriver => "vdi";

    public Action<ImageBytes>? HeaderCheck => VdiHeader.Check;

    public ImageSign SignIn(ImageSample file) => file.Has(VdiHeader.MagicOffset, VdiHeader.Magic) ? ImageSign.Header : ImageSign.None;
}
