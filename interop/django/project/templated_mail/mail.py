"""What djoser needs of django-templated-mail, which Debian does not have: a mail whose subject and texts are the
blocks of a template."""

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template import Context
from django.template.loader import get_template
from django.template.loader_tags import BlockNode


class BaseEmailMessage(EmailMultiAlternatives):
    template_name = None

    def __init__(self, request, context=None):
        super().__init__()
        self.request = request
        self.context = context or {}

    def get_context_data(self):
        """The template's variables; djoser's mails add the link to them."""
        host = self.request.get_host()
        user = getattr(self.request, "user", None)
        domain = getattr(settings, "DOMAIN", "") or host
        site_name = getattr(settings, "SITE_NAME", "") or host
        return {"user": user, "protocol": "http", "domain": domain, "site_name": site_name, **self.context}

    def send(self, to):
        template = get_template(self.template_name).template
        context = Context(self.get_context_data())
        with context.bind_template(template):
            blocks = {
                block.name: block.render(context).strip()
                for block in template.nodelist.get_nodes_by_type(BlockNode)
            }
        self.subject = blocks["subject"]
        self.body = blocks["text_body"]
        if "html_body" in blocks:
            self.attach_alternative(blocks["html_body"], "text/html")
        self.to = to
        return super().send()
