package emulator

import (
	"encoding/xml"
	"net/http"

	"eevee/live/emulator/sigv4"
)

// callerARN names the holder of credentials.
func (e *Emulator) callerARN(c Credentials) string {
	if c.Session != "" {
		return "arn:aws:sts::" + e.options.Account + ":assumed-role/emulator/session"
	}
	return "arn:aws:iam::" + e.options.Account + ":user/emulator"
}

func (e *Emulator) getCallerIdentity(in *request) (reply, error) {
	var caller Credentials
	scope, _ := sigv4.ScopeOf(&http.Request{Header: in.header})
	for _, c := range e.options.Credentials {
		if c.AccessKey == scope.AccessKey {
			caller = c
		}
	}
	type result struct {
		Arn, UserId, Account string
	}
	body, err := xml.Marshal(struct {
		XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
		Result    result   `xml:"GetCallerIdentityResult"`
		RequestID string   `xml:"ResponseMetadata>RequestId"`
	}{Result: result{e.callerARN(caller), "AIDAEMULATOR", e.options.Account}, RequestID: in.id})
	if err != nil {
		panic(err)
	}
	return reply{body: body}, nil
}
