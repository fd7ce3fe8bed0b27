using Crust.Formats;
using Crust.Spec;

namespace Crust.Verification;

/// <summary>Says what a boot doesn't prove: that the system has a driver for the disk controller that its image asks for.</summary>
internal static class ControllerNote
{
    /// <summary>Writes one note for each such controller.</summary>
    /// <param name="images">Images that are proven, each with the bus that it is proven on.</param>
    /// <param name="observer">Gets the notes.</param>
    public static void Write(IEnumerable<(string Name, IImageFormat Format, DiskBus Bus)> images, IBuildObserver observer)
    {
        foreach (var group in images.Where(image => image.Format.Controller is not null).GroupBy(image => (image.Format.Controller, image.Bus)))
        {
            var (names, many) = (string.Join(", ", group.Select(image => image.Name)), group.Count() > 1);
            observer.Observe(new BuildEvent.Noted($"{names} ask{(many ? "" : "s")} for a disk controller by {group.Key.Controller}, which QEMU doesn't have: "
                + $"{(many ? "they are" : "it is")} proven on {group.Key.Bus.LowerName()}; whether the system has the driver for the other isn't proven"));
        }
    }
}
