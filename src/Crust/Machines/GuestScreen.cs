using Crust.Spec;
using Crust.Tools;

namespace Crust.Machines;

/// <summary>Where a machine's screen is to be seen while it runs.</summary>
internal abstract record GuestDisplay
{
    private GuestDisplay()
    {
    }

    public sealed record None : GuestDisplay;

    /// <summary>In a window on the user's display. <paramref name="Kind"/> is QEMU's word: `gtk`, `sdl`.</summary>
    public sealed record Window(string Kind) : GuestDisplay;

    /// <summary>To VNC viewers that open a Unix socket in the machine's private folder.</summary>
    public sealed record VncSocket : GuestDisplay;
}

/// <summary>Chooses where guests are shown.</summary>
/// <param name="tools">Asks QEMU what it can show.</param>
/// <param name="hasDisplay">Whether there is a display (X11 or Wayland) for a window.</param>
internal sealed class GuestScreen(ToolBox tools, bool isWanted, bool hasDisplay)
{
    private static readonly string[] Windows = ["gtk", "sdl"];

    /// <summary>A window where QEMU can open one, else a VNC socket.</summary>
    /// <exception cref="ToolMissingException">QEMU isn't installed.</exception>
    public async Task<GuestDisplay> ChooseAsync(Arch arch, CancellationToken cancellation)
    {
        if (!isWanted)
        {
            return new GuestDisplay.None();
        }

        if (!hasDisplay)
        {
            return new GuestDisplay.VncSocket();
        }

        // Debian has the windows in a package of their own, qemu-system-gui.
        var known = (await tools.RunAsync(ToolCommand.Of(QemuArguments.ProgramFor(arch), "-display", "help"), cancellation)).Output.Split('\n', StringSplitOptions.TrimEntries);
        return Windows.FirstOrDefault(known.Contains) is { } window ? new GuestDisplay.Window(window) : new GuestDisplay.VncSocket();
    }
}
