using Crust.Reports;
using Crust.Tests.Reports;
using Microsoft.Playwright;

namespace Crust.Tests.Machine.Reports;

/// <summary>The report in a real browser: Debian's chromium, without a display. Pictures of it are left in .build/report/.</summary>
[CancelAfter(180_000)]
[Parallelizable(ParallelScope.Self)]
public sealed class ReportBrowserTests
{
    private const string Contrast = """
        () => {
          const channels = text => text.match(/[\d.]+/g).map(Number);
          const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
            .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
          const behind = element => {
            for (let e = element; e; e = e.parentElement) {
              const color = channels(getComputedStyle(e).backgroundColor);
              if (color.length === 3 || color[3] === 1) return color;
            }
          };
          const poor = [];
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const element = node.parentElement;
            if (!node.data.trim() || !element.checkVisibility() || element.closest('script, title, .skip')) continue;
            const style = getComputedStyle(element);
            const [a, b] = [light(channels(element.closest('svg') ? style.fill : style.color)), light(behind(element))];
            const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
            if (ratio < 4.5 || parseFloat(style.fontSize) < 12) poor.push(`${ratio.toFixed(1)} ${style.fontSize}: ${node.data.trim().slice(0, 40)}`);
          }
          return poor;
        }
        """;

    private readonly List<string> _complaints = [];
    private string _folder = null!;
    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _folder = Directory.CreateTempSubdirectory("crust-report-").FullName;
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox"] });
    }

    [OneTimeTearDown]
    public async Task EndAsync()
    {
        await _browser.DisposeAsync();
        _playwright.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task A_report_is_readable_at_every_width_in_light_and_dark(
        [Values("built", "failed")] string story, [Values(400, 1600)] int width, [Values(ColorScheme.Light, ColorScheme.Dark)] ColorScheme scheme)
    {
        var page = await OpenAsync(story, width, scheme);

        Assert.That(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), Is.True, "it is as wide as the window");
        Assert.That(await page.EvaluateAsync<string[]>(Contrast), Is.Empty, "contrast of at least 4.5, letters of at least 12 pixels");
        Assert.That(await page.EvaluateAsync<bool>("[...document.images].every(image => image.complete && image.naturalWidth > 0)"), Is.True, "all pictures are there");
        Assert.That(await page.Locator(".film img").CountAsync(), Is.EqualTo(ReportSample.Screens.Length));
        foreach (var path in await page.Locator(".plot .area path").AllAsync())
        {
            var box = (await path.BoundingBoxAsync())!;
            Assert.That((box.Width, box.Height), Is.GreaterThan((100f, 20f)), "the plots are drawn");
        }

        await PictureAsync(page, $"{story}-{width}-{scheme}");
        Assert.That(_complaints, Is.Empty, "nothing is asked for and nothing is complained of");
    }

    [Test]
    public async Task A_text_that_is_typed_is_found_in_the_serial_log()
    {
        var page = await OpenAsync("built", 1600, ColorScheme.Light);
        await page.Locator(".log summary").ClickAsync();

        await page.GetByLabel("Search", new() { Exact = true }).PressSequentiallyAsync("UNIT-39");
        await Assertions.Expect(page.Locator("#found")).ToHaveTextAsync("1 of 11");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator("#found")).ToHaveTextAsync("2 of 11");

        Assert.That(await page.EvaluateAsync<double>("document.querySelector('.log pre').scrollTop"), Is.GreaterThan(100), "it is scrolled to what was found");
        await PictureAsync(page, "search");
        await page.GetByLabel("Search", new() { Exact = true }).FillAsync("no (such) [thing]");
        await Assertions.Expect(page.Locator("#found")).ToHaveTextAsync("not found");
        Assert.That(_complaints, Is.Empty);
    }

    [Test]
    public async Task A_screen_opens_in_full_size_by_the_keyboard_and_without_scripts([Values] bool scripts)
    {
        var page = await OpenAsync("built", 1600, ColorScheme.Light, scripts);
        var screens = page.Locator(".film summary");

        await screens.Nth(2).FocusAsync();
        await page.Keyboard.PressAsync("Enter");

        var box = (await screens.Nth(2).BoundingBoxAsync())!;
        Assert.That((box.X, box.Y, box.Width, box.Height), Is.EqualTo((0, 0, 1600, 900)));
        await PictureAsync(page, $"screen-{scripts}", fullPage: false);
        if (scripts)
        {
            await page.Keyboard.PressAsync("ArrowRight");
            Assert.That((await screens.Nth(3).BoundingBoxAsync())!.Width, Is.EqualTo(1600));
            await page.Keyboard.PressAsync("Escape");
            Assert.That(await page.Locator(".film details[open]").CountAsync(), Is.Zero);
        }

        Assert.That(_complaints, Is.Empty);
    }

    [Test]
    public async Task A_script_that_a_guest_wrote_does_not_run()
    {
        const string Evil = "</pre><script>document.title = 'owned'</script><img src=x onerror=\"document.title = 'owned'\">";
        var story = ReportSample.Failed with { Origin = InstallerSample.Iso with { VolumeId = Evil }, Warnings = [Evil] };
        var path = Path.Combine(_folder, "evil.report.html");
        var serial = Path.Combine(_folder, "evil.serial.log");
        await File.WriteAllTextAsync(serial, Evil);
        Assert.That(ReportFile.TryWrite(story with { SerialLog = serial }, path, Directory.CreateDirectory(Path.Combine(_folder, "drafts")).FullName), Is.EqualTo(path));

        var page = await OpenFileAsync(path, 1600, ColorScheme.Light);
        await page.Locator(".log summary").ClickAsync();

        Assert.That(await page.TitleAsync(), Does.EndWith("build report"));
        Assert.That(await page.Locator(".log pre").InnerTextAsync(), Is.EqualTo(Evil));
        // Even markup that got in somehow would do nothing: the page's policy knows one script and one style.
        await page.EvaluateAsync("document.body.insertAdjacentHTML('beforeend', '<img src=http://127.0.0.1:9/x onerror=\"document.title = 1\">')");
        await page.EvaluateAsync("document.body.append(Object.assign(document.createElement('script'), { textContent: 'document.title = 1' }))");
        Assert.That(await page.TitleAsync(), Does.EndWith("build report"));
        Assert.That(_complaints, Has.Some.Contains("Content Security Policy"));
    }

    [Test]
    public async Task A_report_is_printed_in_black_on_white()
    {
        var page = await OpenAsync("failed", 794, ColorScheme.Dark);
        await page.EmulateMediaAsync(new() { Media = Microsoft.Playwright.Media.Print });

        Assert.That(await page.EvaluateAsync<string>("getComputedStyle(document.documentElement).backgroundColor"), Is.EqualTo("rgb(255, 255, 255)"));
        Assert.That(await page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), Is.True);
        await PictureAsync(page, "print");
        Assert.That(await page.PdfAsync(new() { Format = "A4", PrintBackground = false }), Has.Length.GreaterThan(10_000));
    }

    private async Task<IPage> OpenAsync(string story, int width, ColorScheme scheme, bool scripts = true)
    {
        var path = Path.Combine(_folder, $"{story}.report.html");
        await File.WriteAllTextAsync(path, ReportSample.Render(story == "built" ? ReportSample.Built : ReportSample.Failed));
        return await OpenFileAsync(path, width, scheme, scripts);
    }

    private async Task<IPage> OpenFileAsync(string path, int width, ColorScheme scheme, bool scripts = true)
    {
        _complaints.Clear();
        var page = await _browser.NewPageAsync(new() { ColorScheme = scheme, ViewportSize = new() { Width = width, Height = 900 }, JavaScriptEnabled = scripts });
        page.Console += (_, message) => _complaints.Add(message.Text);
        page.PageError += (_, error) => _complaints.Add(error);
        page.Request += (_, request) =>
        {
            if (request.Url != $"file://{path}" && !request.Url.StartsWith("data:", StringComparison.Ordinal))
            {
                _complaints.Add($"asks for {request.Url}");
            }
        };
        await page.GotoAsync($"file://{path}");
        return page;
    }

    private static Task<byte[]> PictureAsync(IPage page, string name, bool fullPage = true) =>
        page.ScreenshotAsync(new() { Path = Path.Combine(AppContext.BaseDirectory, $"../../../report/{name}.png"), FullPage = fullPage });
}
