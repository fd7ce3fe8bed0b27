using System.Text;
using System.Text.Json.Nodes;

namespace Crust.Machines.Watching;

/// <summary>
/// What a machine's screen shows in VGA text mode: 25 lines of 80 characters at 0xB8000, each with an attribute byte behind it (IBM VGA, mode 3). In graphics
/// modes there is none.
/// </summary>
internal static class ScreenText
{
    private const int Columns = 80;
    private const int Rows = 25;
    private const int Address = 0xB8000;

    /// <exception cref="Qmp.QmpException">QEMU has gone.</exception>
    public static async Task<string> ReadAsync(RunningMachine machine, CancellationToken cancellation)
    {
        var scratch = Path.Combine(machine.Folder, "screen");
        try
        {
            await machine.Qmp.ExecuteAsync("pmemsave", new JsonObject { ["val"] = Address, ["size"] = Columns * Rows * 2, ["filename"] = scratch }, cancellation);
            return Parse(await File.ReadAllBytesAsync(scratch, cancellation));
        }
        finally
        {
            File.Delete(scratch);
        }
    }

    /// <summary>The characters as lines, without blanks at their ends. What isn't ASCII (frames, mostly) becomes a blank.</summary>
    public static string Parse(ReadOnlySpan<byte> cells)
    {
        var text = new StringBuilder();
        for (var row = 0; row < Rows && (row + 1) * Columns * 2 <= cells.Length; row++)
        {
            var line = new char[Columns];
            for (var column = 0; column < Columns; column++)
            {
                var character = (char)cells[(row * Columns + column) * 2];
                line[column] = character is >= ' ' and <= '~' ? character : ' ';
            }

            text.Append(new string(line).TrimEnd()).Append('\n');
        }

        return text.ToString();
    }
}
