package layout

// The operator's accent color, made readable on light and on dark pages.

import (
	"encoding/hex"
	"fmt"
	"math"
	"strings"
)

// color is a color of sRGB; each part is from 0 to 1.
type color [3]float64

// parseColor parses #rrggbb or #rgb.
func parseColor(text string) (c color, ok bool) {
	digits, ok := strings.CutPrefix(text, "#")
	if len(digits) == 3 {
		digits = strings.Join([]string{digits[:1], digits[:1], digits[1:2], digits[1:2], digits[2:], digits[2:]}, "")
	}
	b, err := hex.DecodeString(digits)
	if !ok || err != nil || len(b) != 3 {
		return c, false
	}
	return color{float64(b[0]) / 255, float64(b[1]) / 255, float64(b[2]) / 255}, true
}

func (c color) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0]*255)), int(math.Round(c[1]*255)), int(math.Round(c[2]*255)))
}

// luminance is the relative luminance of WCAG 2.
func (c color) luminance() float64 {
	linear := func(x float64) float64 {
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c[0]) + 0.7152*linear(c[1]) + 0.0722*linear(c[2])
}

// contrast is the contrast ratio of WCAG 2, from 1 to 21.
func contrast(a, b color) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

var (
	white, black = color{1, 1, 1}, color{0, 0, 0}
	// The backgrounds of the style sheet with the least contrast to links.
	lightPage, darkPage = color{0.957, 0.965, 0.976}, color{0.094, 0.110, 0.137}
)

// readable moves a color toward another until its contrast with the background
// is at least 4.6, a little more than WCAG 2 requires of text.
func readable(c, background, toward color) color {
	for i := 0; i < 100 && contrast(c, background) < 4.6; i++ {
		for j := range c {
			c[j] += (toward[j] - c[j]) * 0.05
		}
	}
	return c
}

// on returns black or white, whichever is easier to read on the color.
func on(c color) color {
	if contrast(c, white) >= 4.5 || contrast(c, white) >= contrast(c, black) {
		return white
	}
	return black
}

// IsColor reports whether the text is a color such as #0a7d4f.
func IsColor(text string) bool {
	_, ok := parseColor(text)
	return ok
}

// accentCSS returns the rules for an accent color; none if it is empty.
func accentCSS(accent string) string {
	c, ok := parseColor(accent)
	if !ok {
		return ""
	}
	light, dark := readable(c, lightPage, black), readable(c, darkPage, white)
	return fmt.Sprintf(":root{--jg-accent:%v;--jg-on-accent:%v}\n@media (prefers-color-scheme:dark){:root{--jg-accent:%v;--jg-on-accent:%v}}\n",
		light, on(light), dark, on(dark))
}
