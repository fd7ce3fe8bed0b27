using System.Globalization;
using System.Text;

namespace Crust.Fleet;

/// <summary>A QR code (ISO/IEC 18004) for a short text, as the path of an SVG: byte mode, error correction level M, versions 1 to 10.</summary>
internal sealed class QrCode
{
    /// <summary>The longest text in bytes.</summary>
    public const int Most = 213;

    // Around it, in modules: what readers need to find it.
    private const int Quiet = 4;
    private const int MostVersion = 10;
    private const int LevelM = 0b00;

    private readonly int _version;
    private readonly bool[,] _dark;
    private readonly bool[,] _isFunction;

    private QrCode(int version)
    {
        _version = version;
        _dark = new bool[Size, Size];
        _isFunction = new bool[Size, Size];
    }

    /// <summary>Modules along a side.</summary>
    public int Size => _version * 4 + 17;

    /// <summary>The code of a text; null if it is too long.</summary>
    public static QrCode? Of(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var version = 1; version <= MostVersion; version++)
        {
            if (QrWords.Of(bytes, version) is { } words)
            {
                var code = new QrCode(version);
                code.Draw(words);
                return code;
            }
        }

        return null;
    }

    /// <summary>Whether a module is dark.</summary>
    public bool IsDark(int x, int y) => _dark[y, x];

    /// <summary>An SVG of it; a text for those who don't see it isn't in it.</summary>
    public string ToSvg()
    {
        var path = new StringBuilder();
        // Runs of dark modules as strokes: a third of what a square for each would take, and a page may have thousands of these.
        for (var y = 0; y < Size; y++)
        {
            for (var (x, from) = (0, 0); x < Size; x++)
            {
                if (!_dark[y, x])
                {
                    from = x + 1;
                }
                else if (x + 1 == Size || !_dark[y, x + 1])
                {
                    path.Append(CultureInfo.InvariantCulture, $"M{from + Quiet} {y + Quiet}h{x + 1 - from}");
                }
            }
        }

        var side = Size + 2 * Quiet;
        return $"<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" width=\"96\" height=\"96\" shape-rendering=\"crispEdges\" aria-hidden=\"true\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path stroke=\"#000\" d=\"{path}\" transform=\"translate(0 .5)\"/></svg>";
    }

    private void Draw(byte[] words)
    {
        DrawFunctions();
        DrawWords(words);
        // Section 7.8: of the eight masks, the one that leaves the fewest runs and blocks of one colour. A mask applied twice is undone.
        var best = Enumerable.Range(0, 8).MinBy(mask =>
        {
            Apply(mask);
            DrawFormat(mask);
            var penalty = Penalty();
            Apply(mask);
            return penalty;
        });
        Apply(best);
        DrawFormat(best);
    }

    private void DrawFunctions()
    {
        for (var i = 0; i < Size; i++)
        {
            Set(6, i, i % 2 == 0);
            Set(i, 6, i % 2 == 0);
        }

        foreach (var (x, y) in new[] { (3, 3), (Size - 4, 3), (3, Size - 4) })
        {
            Square(x, y, 4, ring => ring is not (2 or 4));
        }

        int[] places = _version == 1 ? [] : _version < 7 ? [6, Size - 7] : [6, (Size - 1) / 2, Size - 7];
        foreach (var y in places)
        {
            foreach (var x in places.Where(x => (x, y) != (6, 6) && (x, y) != (6, Size - 7) && (x, y) != (Size - 7, 6)))
            {
                Square(x, y, 2, ring => ring != 1);
            }
        }

        DrawFormat(0);
        DrawVersion();
    }

    private void Square(int x, int y, int radius, Func<int, bool> isDark)
    {
        for (var dy = -radius; dy <= radius; dy++)
        {
            for (var dx = -radius; dx <= radius; dx++)
            {
                if (x + dx >= 0 && x + dx < Size && y + dy >= 0 && y + dy < Size)
                {
                    Set(x + dx, y + dy, isDark(Math.Max(Math.Abs(dx), Math.Abs(dy))));
                }
            }
        }
    }

    // Section 7.9, twice, and the module that is always dark.
    private void DrawFormat(int mask)
    {
        var data = LevelM << 3 | mask;
        var rest = data;
        for (var i = 0; i < 10; i++)
        {
            rest = (rest << 1) ^ ((rest >> 9) * 0x537);
        }

        var bits = (data << 10 | rest) ^ 0x5412;
        for (var i = 0; i < 15; i++)
        {
            var isDark = ((bits >> i) & 1) != 0;
            var (x, y) = i switch { < 6 => (8, i), 6 => (8, 7), 7 => (8, 8), 8 => (7, 8), _ => (14 - i, 8) };
            Set(x, y, isDark);
            (x, y) = i < 8 ? (Size - 1 - i, 8) : (8, Size - 15 + i);
            Set(x, y, isDark);
        }

        Set(8, Size - 8, true);
    }

    // Section 7.10.
    private void DrawVersion()
    {
        if (_version < 7)
        {
            return;
        }

        var rest = _version;
        for (var i = 0; i < 12; i++)
        {
            rest = (rest << 1) ^ ((rest >> 11) * 0x1f25);
        }

        var bits = _version << 12 | rest;
        for (var i = 0; i < 18; i++)
        {
            var (a, b, isDark) = (Size - 11 + i % 3, i / 3, ((bits >> i) & 1) != 0);
            Set(a, b, isDark);
            Set(b, a, isDark);
        }
    }

    // Section 7.7.3: in columns of two from the right, upwards and downwards in turn.
    private void DrawWords(byte[] words)
    {
        var bit = 0;
        for (var right = Size - 1; right >= 1; right -= right == 8 ? 3 : 2)
        {
            var isUpward = ((right + 1) & 2) == 0;
            for (var step = 0; step < Size; step++)
            {
                for (var x = right; x > right - 2; x--)
                {
                    var y = isUpward ? Size - 1 - step : step;
                    if (!_isFunction[y, x] && bit < words.Length * 8)
                    {
                        _dark[y, x] = ((words[bit / 8] >> (7 - bit % 8)) & 1) != 0;
                        bit++;
                    }
                }
            }
        }
    }

    private void Apply(int mask)
    {
        for (var y = 0; y < Size; y++)
        {
            for (var x = 0; x < Size; x++)
            {
                _dark[y, x] ^= !_isFunction[y, x] && mask switch
                {
                    0 => (x + y) % 2 == 0,
                    1 => y % 2 == 0,
                    2 => x % 3 == 0,
                    3 => (x + y) % 3 == 0,
                    4 => (x / 3 + y / 2) % 2 == 0,
                    5 => x * y % 2 + x * y % 3 == 0,
                    6 => (x * y % 2 + x * y % 3) % 2 == 0,
                    _ => ((x + y) % 2 + x * y % 3) % 2 == 0,
                };
            }
        }
    }

    // Table 11 without its third rule: readers take any mask, and find patterns like those of the corners all the same.
    private int Penalty()
    {
        var (penalty, dark) = (0, 0);
        for (var a = 0; a < Size; a++)
        {
            var (row, column) = (0, 0);
            for (var b = 0; b < Size; b++)
            {
                row = b > 0 && _dark[a, b] == _dark[a, b - 1] ? row + 1 : 1;
                column = b > 0 && _dark[b, a] == _dark[b - 1, a] ? column + 1 : 1;
                penalty += Run(row) + Run(column);
                dark += _dark[a, b] ? 1 : 0;
                penalty += a > 0 && b > 0 && _dark[a, b] == _dark[a - 1, b] && _dark[a, b] == _dark[a, b - 1] && _dark[a, b] == _dark[a - 1, b - 1] ? 3 : 0;
            }
        }

        return penalty + Math.Abs(dark * 20 - Size * Size * 10) / (Size * Size) * 10;

        static int Run(int length) => length switch { < 5 => 0, 5 => 3, _ => 1 };
    }

    private void Set(int x, int y, bool isDark) => (_dark[y, x], _isFunction[y, x]) = (isDark, true);
}
