using Crust.Machines.Watching;

namespace Crust.Tests.Machines.Watching;

public sealed class ScreenTextTests
{
    [Test]
    public void Characters_are_every_other_byte_in_lines_of_80()
    {
        var cells = new byte[80 * 25 * 2];
        Write(cells, 0, 0, "SeaBIOS (version 1.16.2)");
        Write(cells, 24, 78, "OK");

        Assert.That(ScreenText.Parse(cells).Split('\n'), Is.EqualTo(new[] { "SeaBIOS (version 1.16.2)" }.Concat(Enumerable.Repeat("", 23)).Append(new string(' ', 78) + "OK").Append("")));
    }

    [Test]
    public void Frames_and_other_signs_are_blanks()
    {
        var cells = new byte[80 * 25 * 2];
        (cells[0], cells[2], cells[4]) = (0xc9, (byte)'A', 0x00);

        Assert.That(ScreenText.Parse(cells).Split('\n')[0], Is.EqualTo(" A"));
    }

    [Test]
    public void A_part_of_a_screen_is_the_lines_that_are_whole() => Assert.That(ScreenText.Parse(new byte[(80 * 2 * 3) - 1]), Is.EqualTo("\n\n"));

    private static void Write(byte[] cells, int row, int column, string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            cells[((row * 80) + column + i) * 2] = (byte)text[i];
            cells[(((row * 80) + column + i) * 2) + 1] = 0x07;
        }
    }
}
