package binary

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// Password is the password of all users. It passes all password validators.
const Password = "correct-horse-battery-1"

// Register creates the user alice.
func (s *Server) Register(client *http.Client) error {
	form := url.Values{"username": {"alice"}, "email": {"alice@example.com"}, "password": {Password}}
	return s.post(client, "/auth/users/", form, http.StatusCreated, new(struct{}))
}

// Login logs alice in and returns an access token.
func (s *Server) Login(client *http.Client) (string, error) {
	var tokens struct{ Access string }
	form := url.Values{"username": {"alice"}, "password": {Password}}
	err := s.post(client, "/api/token/", form, http.StatusOK, &tokens)
	return tokens.Access, err
}

// post sends a form and expects the given status.
func (s *Server) post(client *http.Client, path string, form url.Values, status int, into any) error {
	answer, err := client.PostForm("http://"+s.Address+path, form)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != status {
		return fmt.Errorf("%s: unexpected response %s: %.200s", path, answer.Status, body)
	}
	return json.Unmarshal(body, into)
}

// Check requests GET /auth/check, which must accept the token.
func (s *Server) Check(client *http.Client, token string) error {
	r, err := http.NewRequest(http.MethodGet, "http://"+s.Address+"/auth/check", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("/auth/check: unexpected response %s", answer.Status)
	}
	return nil
}
