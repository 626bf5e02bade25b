package main

// A curl for the scripts and pages under test, so that they need none on the
// machine: -s, -i, -d, -H, -X and the address.

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/jotgate/jotgate/internal/wait"
)

// curl runs the program; it exits with 1 if there was no response.
func curl() {
	if err := fetch(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "curl:", err)
		os.Exit(1)
	}
}

func fetch(args []string, out io.Writer) error {
	r, head, err := request(args)
	if err != nil {
		return err
	}
	answer, err := (&http.Client{Timeout: wait.Limit}).Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if head {
		fmt.Fprintf(out, "HTTP/1.1 %s\r\n", answer.Status)
		_ = answer.Header.Write(out)
		fmt.Fprint(out, "\r\n")
	}
	_, err = io.Copy(out, answer.Body)
	return err
}

// request reads the arguments as curl does.
func request(args []string) (r *http.Request, head bool, err error) {
	method, address, data, header := "", "", []string{}, http.Header{}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if strings.HasPrefix(arg, "-") && arg != "-s" && arg != "-i" {
			if len(args) == 0 {
				return nil, false, errors.New(arg + " needs a value")
			}
			value := args[0]
			args = args[1:]
			switch name, content, _ := strings.Cut(value, ":"); arg {
			case "-d":
				data = append(data, value)
			case "-X":
				method = value
			case "-H":
				header.Add(name, strings.TrimSpace(content))
			default:
				return nil, false, errors.New("unknown option " + arg)
			}
		} else if arg == "-i" {
			head = true
		} else if arg != "-s" {
			address = arg
		}
	}
	if _, err := url.ParseRequestURI(address); err != nil {
		return nil, false, err
	}
	if method == "" {
		method = http.MethodGet
		if len(data) > 0 {
			method = http.MethodPost
		}
	}
	if r, err = http.NewRequest(method, address, strings.NewReader(strings.Join(data, "&"))); err != nil {
		return nil, false, err
	}
	r.Header, r.Host = header, header.Get("Host")
	r.Header.Set("User-Agent", "curl/8.14.1")
	if len(data) > 0 && header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r, head, nil
}
